#include "driver/opt.h"

#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <istream>
#include <iterator>
#include <variant>

#include "driver/usage.h"
#include "ir/graph/text.h"
#include "ir/graph/topology.h"
#include "ir/loop/interpret.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "ir/ops/interpret.h"
#include "passes/lower_to_loops.h"
#include "passes/pipeline.h"
#include "passes/update_report.h"
#include "support/render.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kUnknownPass{DiagCode::UnknownPass, Severity::kError,
                                         "there is no pass `{}` for this text"};
constexpr Diag<std::string> kBrokenLaw{DiagCode::BrokenIrLaw, Severity::kError,
                                       "the text breaks a law of the IR: {}"};
constexpr Diag<std::string> kCannotReadIr{DiagCode::CannotReadIr, Severity::kError, "cannot read `{}`"};

struct OptOptions {
  std::string file = "-";
  std::vector<std::string> passes;
  bool is_interpreted = false;
  bool is_dot = false;
};

/// What the text holds: a graph, or a loop program.
using Ir = std::variant<Graph, loop::Program>;

std::optional<std::string> read_text(const OptOptions& options, Streams streams) {
  if (options.file == "-") return std::string(std::istreambuf_iterator<char>(streams.in), {});
  std::ifstream stream(options.file, std::ios::binary);
  if (!stream) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

/// A loop program's text begins with the word `program`, a graph's with `graph`.
bool is_loop_text(std::string_view text) {
  for (const std::string_view line : split_text(text, '\n')) {
    const std::string_view words = trim(line);
    if (words.empty() || words.front() == ';') continue;
    return words.substr(0, 7) == "program";
  }
  return false;
}

std::optional<Ir> parse_ir(Sources& sources, FileId file, Diagnostics& diagnostics) {
  if (is_loop_text(sources.text(file))) {
    std::optional<loop::Program> program = loop::parse_program(sources, file, diagnostics);
    if (!program) return std::nullopt;
    const std::optional<std::string> broken = loop::verify(*program);
    if (broken) diagnostics.report({file, 0, 0}, kBrokenLaw, *broken);
    return Ir(std::move(*program));
  }
  std::optional<Graph> graph = parse_graph(sources, file, diagnostics);
  if (!graph) return std::nullopt;
  const std::optional<std::string> broken = verify(*graph, least_stage(*graph));
  if (broken) diagnostics.report({file, 0, 0}, kBrokenLaw, *broken);
  return Ir(std::move(*graph));
}

std::vector<std::string> pass_names() {
  std::vector<std::string> names{"loops"};
  for (const PassInfo& pass : graph_pipeline()) names.emplace_back(pass.name);
  return names;
}

/// Runs one pass; false after a diagnostic.
bool run_pass(Ir& ir, const std::string& name, FileId file, Diagnostics& diagnostics) {
  Graph* graph = std::get_if<Graph>(&ir);
  const PassInfo* pass = find_pass(name);
  if (graph != nullptr && name == "loops") {
    ir = lower_to_loops(*graph, plan_memory(*graph));
    return true;
  }
  if (graph == nullptr || pass == nullptr || name == "update") {
    Report report = diagnostics.report({file, 0, 0}, kUnknownPass, name);
    if (name == "update")
      report.note("`update` needs the optimizer's text: use `dlg show --stage update FILE`");
    if (const auto near = nearest_name(name, pass_names())) report.note("did you mean `" + *near + "`?");
    report.note("the passes on graphs are " + join_words(pass_names()));
    return false;
  }
  *graph = pass->run(*graph, PassContext{});
  return true;
}

void print_values(std::ostream& out, const std::string& name, const std::vector<double>& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(number_text(value));
  fmt::print(out, "{} = [{}]\n", name, join_text(texts, ", "));
}

/// The outputs and effects of a graph on its own initial values and inline data.
void interpret_graph(const Graph& graph, std::ostream& out) {
  const auto values = interpret(graph, default_environment(graph));
  for (const Output& output : graph.outputs) print_values(out, output.name, values[output.value].elements);
  for (const Effect& effect : graph.effects) {
    print_values(out, graph.states[effect.state].path + " <-", values[effect.value].elements);
  }
}

/// The outputs and states of a loop program after one step on zeroed memory with its own literals.
void interpret_loops(const loop::Program& program, std::ostream& out) {
  loop::Machine machine(program);
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < program.batch; ++i) order.push_back(i);
  machine.step(program.batch, order);
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    const bool is_shown = buffer.kind == loop::BufferKind::kOutput || buffer.kind == loop::BufferKind::kState;
    if (is_shown) print_values(out, buffer.source, machine.buffer(id));
  }
}

void print_result(const Ir& ir, const OptOptions& options, const Sources& sources, std::ostream& out) {
  if (const Graph* graph = std::get_if<Graph>(&ir)) {
    if (options.is_interpreted) return interpret_graph(*graph, out);
    out << (options.is_dot ? draw(*graph) : print_graph(*graph, sources) + update_comments(*graph));
    return;
  }
  const auto& program = std::get<loop::Program>(ir);
  if (options.is_interpreted) return interpret_loops(program, out);
  out << loop::print_program(program, sources);
}

int process(const OptOptions& options, Streams streams) {
  Sources sources;
  Diagnostics diagnostics;
  const std::optional<std::string> text = read_text(options, streams);
  const FileId file = sources.add(options.file == "-" ? "<input>" : options.file, text.value_or(""));
  if (!text) diagnostics.report({file, 0, 0}, kCannotReadIr, options.file);
  std::optional<Ir> ir = diagnostics.has_errors() ? std::nullopt : parse_ir(sources, file, diagnostics);
  for (const std::string& pass : options.passes) {
    if (diagnostics.has_errors() || !run_pass(*ir, pass, file, diagnostics)) break;
  }
  if (!diagnostics.has_errors()) print_result(*ir, options, sources, streams.out);
  streams.err << render_all(sources, diagnostics, Color::kOff);
  return diagnostics.exit_code();
}

}  // namespace

int run_opt(const std::vector<std::string>& arguments, Streams streams) {
  CLI::App app("dlg-opt - reads the textual IR of dlg, runs passes, prints the result", "dlg-opt");
  OptOptions options;
  app.add_option("FILE", options.file,
                 "text of a graph or of loops, as `dlg show` prints it (default: standard input)");
  app.add_option("--passes,-p", options.passes,
                 "passes to run, in order: differentiate, simplify, fuse, schedule, loops")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_flag("--interpret,-i", options.is_interpreted,
               "run the IR in its interpreter and print outputs and effects");
  app.add_flag("--dot", options.is_dot, "print a Graphviz drawing instead of text");
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::CallForHelp&) {
    streams.out << app.help();
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    return report_usage(error, app, streams.err);
  }
  return process(options, streams);
}

}  // namespace dlg
