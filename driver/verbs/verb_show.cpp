// Owns `dlg show`: a stage of the compiler as text.
#include <fmt/ostream.h>

#include <algorithm>
#include <utility>

#include "driver/cli/stages.h"
#include "driver/engine/artifact.h"
#include "driver/engine/programs.h"
#include "driver/verbs/verbs.h"
#include "frontend/text/parser.h"
#include "frontend/text/print_ast.h"
#include "ir/graph/text.h"
#include "ir/graph/topology.h"
#include "ir/loop/text.h"
#include "passes/derive/gate_report.h"
#include "passes/plan/update_report.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoDrawing{DiagCode::NoDrawing, Severity::kError,
                                       "stage `{}` is not a graph and has no drawing"};

constexpr Diag<std::string, std::int64_t> kNoData{DiagCode::FileMissing, Severity::kNote,
                                                  "the data is not read, so this is for a batch of {1}: {0}"};

enum class ShownAs : std::uint8_t { kText, kDot };

struct ShowOptions {
  std::string stage;                // --stage
  ShownAs format = ShownAs::kText;  // --format
};

void add_options(CommandOptions& options, ShowOptions& shown) {
  const std::vector<std::string> stages = stage_names();
  options.word({"--stage", "which stage of the pipeline to print", "", Presence::kRequired}, stages,
               [&shown, stages](std::size_t place) { shown.stage = stages[place]; });
  options.choice({"--format", "text, or dot for Graphviz (graph stages)"}, {"text", "dot"}, shown.format);
}

/// What is compiled, and the rule of the training with what the data says of it.
struct Shown {
  Graph graph;
  std::optional<UpdateRule> rule;
};

/// What training compiles: the loss and, through the rule, the effects, for the batch that it uses. Without
/// training: everything the program names.
Shown shown_graph(const TrainingSetup& setup) {
  if (setup.program.training)
    return {setup.data.as_stored(training_graph(setup.program, setup.batch)), setup.rule};
  Shown shown{setup.data.as_stored(setup.program.graph), std::nullopt};
  shown.graph.batch = setup.batch;
  return shown;
}

/// The same where the data cannot be read: for the batch of the program, else for a single row.
Shown shown_without_data(Session& session, const CheckedProgram& program, const std::string& reason) {
  Shown shown{program.graph, std::nullopt};
  if (program.training) {
    const std::int64_t batch = program.training->batch.value_or(1);
    shown = {training_graph(program, batch), program.training->rule};
  }
  session.diagnostics.report({session.file, 0, 0}, kNoData, reason, shown.graph.batch);
  return shown;
}

std::string first_error(const Diagnostics& diagnostics) {
  const std::vector<Diagnostic>& all = diagnostics.all();
  return std::find_if(all.begin(), all.end(),
                      [](const Diagnostic& d) { return d.severity == Severity::kError; })
      ->message;
}

/// Data that cannot be read is no error here: it only says how many rows there are.
Shown shown_graph(Session& session, CheckedProgram program) {
  Diagnostics before = std::exchange(session.diagnostics, Diagnostics());
  std::optional<LoadedData> data = load_data(session, program);
  const Diagnostics found = std::exchange(session.diagnostics, std::move(before));
  if (data) return shown_graph(make_setup(std::move(program), *std::move(data)));
  return shown_without_data(session, program, first_error(found));
}

int show_ast(Session& session) {
  if (!read_source(session)) return session.report();
  const ast::File tree = parse_file(session.sources, session.file, session.diagnostics);
  if (!session.diagnostics.has_errors()) session.streams.out << print_ast(tree, session.sources);
  return session.report();
}

/// The graph as it stands after the pass that makes `stage`; the given one for `graph` itself.
Graph graph_at(Session& session, const Graph& graph, const PassContext& context, const std::string& stage) {
  Graph shown = graph;
  if (stage == "graph") return shown;
  run_pipeline(graph, context, [&](const PassInfo& pass, const Graph& result) {
    session.clock.lap(std::string(pass.name));
    if (pass.makes.empty() || pass.makes != stage) {
      return true;
    }
    shown = result;
    return false;
  });
  return shown;
}

bool is_graph_stage(const std::string& stage) {
  if (stage == "graph") return true;
  for (const PassInfo& pass : graph_pipeline()) {
    if (pass.makes == stage) return true;
  }
  return false;
}

std::string text_of(Session& session, const Graph& graph, const PassContext& context,
                    const ShowOptions& options) {
  const std::string& stage = options.stage;
  if (is_graph_stage(stage)) {
    const Graph shown = graph_at(session, graph, context, stage);
    if (options.format == ShownAs::kDot) return draw(shown);
    return print_graph(shown, session.sources) + update_comments(shown) + gate_comments(shown);
  }
  Artifact artifact = build_artifact(graph, context);
  if (stage != "plan" && stage != "loops") schedule(artifact, core_of(session.engine_options.target));
  session.clock.insert(artifact.stages, "");
  if (stage == "plan") {
    return print_plan(artifact.graph, artifact.plan, session.sources) + gate_comments(artifact.graph);
  }
  if (stage == "loops") return loop::print_program(artifact.program, session.sources);
  if (stage == "scheduled") return loop::print_program(artifact.program, session.sources);
  if (stage == "llvm") return llvm_text(artifact.program, session.engine_options.target, session.sources);
  return assembly_text(artifact.program, session.engine_options.target, session.sources);
}

}  // namespace

int verb_show(Session& session, CommandLine& line) {
  ShowOptions options;
  if (!line.read(session.file_options, session.engine_options, options)) return line.exit_code();
  if (options.stage == "ast") return show_ast(session);
  const std::optional<CheckedProgram> program = load_program(session);
  if (!program) return session.report();
  if (options.format == ShownAs::kDot && !is_graph_stage(options.stage)) {
    session.diagnostics.report({session.file, 0, 0}, kNoDrawing, options.stage);
    return session.report();
  }
  const Shown shown = shown_graph(session, *program);
  PassContext context;
  context.fusion = session.engine_options.fusion;
  if (shown.rule) context.rule = &*shown.rule;
  session.streams.out << text_of(session, shown.graph, context, options);
  session.clock.lap("text");
  return session.report();
}

}  // namespace dlg
