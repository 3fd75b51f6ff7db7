// Owns `dlg show`: a stage of the compiler as text.
#include <fmt/ostream.h>

#include "driver/artifact.h"
#include "driver/verbs.h"
#include "frontend/parser.h"
#include "frontend/print_ast.h"
#include "ir/graph/rewriter.h"
#include "ir/graph/text.h"
#include "ir/graph/topology.h"
#include "ir/loop/text.h"
#include "passes/update_report.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoDrawing{DiagCode::NoDrawing, Severity::kError,
                                       "stage `{}` is not a graph and has no drawing"};

/// What training computes: the loss and, through the rule, the effects. Without training: everything the
/// program names.
Graph shown_graph(const Program& program) {
  if (!program.training) return program.graph;
  std::vector<Output> outputs;
  if (const auto loss = program.graph.find_output("loss")) outputs.push_back({"loss", *loss});
  return with_outputs(program.graph, outputs);
}

int show_ast(Session& session) {
  if (!read_source(session)) return session.report();
  const ast::File tree = parse_file(session.sources, session.file, session.diagnostics);
  if (!session.diagnostics.has_errors()) session.streams.out << print_ast(tree, session.sources);
  return session.report();
}

/// The graph as it stands after the pass that makes `stage`; the given one for `graph` itself.
Graph graph_at(Session& session, const Graph& graph, const PassContext& context) {
  const std::string& stage = session.options.stage;
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

std::string text_of(Session& session, const Graph& graph, const PassContext& context) {
  const std::string& stage = session.options.stage;
  if (is_graph_stage(stage)) {
    const Graph shown = graph_at(session, graph, context);
    if (session.options.format == "dot") return draw(shown);
    return print_graph(shown, session.sources) + update_comments(shown);
  }
  const Artifact artifact = build_artifact(graph, context);
  session.clock.insert(artifact.stages, "");
  if (stage == "plan") return print_plan(artifact.graph, artifact.plan, session.sources);
  if (stage == "loops") return loop::print_program(artifact.program, session.sources);
  if (stage == "llvm") return llvm_text(artifact.program, session.options.target, session.sources);
  return assembly_text(artifact.program, session.options.target, session.sources);
}

}  // namespace

int verb_show(Session& session) {
  if (session.options.stage == "ast") return show_ast(session);
  const std::optional<Program> program = load_program(session);
  if (!program) return session.report();
  if (session.options.format == "dot" && !is_graph_stage(session.options.stage)) {
    session.diagnostics.report({session.file, 0, 0}, kNoDrawing, session.options.stage);
    return session.report();
  }
  PassContext context;
  context.fusion = session.options.fusion;
  if (program->training) context.rule = &program->training->rule;
  Graph graph = shown_graph(*program);
  if (program->training && program->training->batch) graph.batch = *program->training->batch;
  session.streams.out << text_of(session, graph, context);
  session.clock.lap("text");
  return session.report();
}

}  // namespace dlg
