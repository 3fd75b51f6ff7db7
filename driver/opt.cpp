#include "driver/opt.h"

#include <fmt/ostream.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <istream>
#include <iterator>
#include <limits>
#include <variant>

#include "driver/cli/usage.h"
#include "driver/engine/reference.h"
#include "ir/graph/text.h"
#include "ir/graph/topology.h"
#include "ir/loop/interpret.h"
#include "ir/loop/memory_proof.h"
#include "ir/loop/schedule.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "ir/ops/interpret.h"
#include "passes/lower/group_trace.h"
#include "passes/lower_to_loops.h"
#include "passes/pipeline.h"
#include "passes/plan/update_report.h"
#include "passes/schedule/schedule_loops.h"
#include "support/arithmetic.h"
#include "support/memory_limit.h"
#include "support/render.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kUnknownPass{DiagCode::UnknownPass, Severity::kError,
                                         "there is no pass `{}` for this text"};
constexpr Diag<std::string> kBrokenLaw{DiagCode::BrokenIrLaw, Severity::kError,
                                       "the text breaks a law of the IR: {}"};
constexpr Diag<std::string, std::string> kNotReady{DiagCode::BrokenIrLaw, Severity::kError,
                                                   "`{}` cannot run on this text: {}"};
constexpr Diag<std::string, std::string> kBadResult{DiagCode::BrokenIrLaw, Severity::kError,
                                                    "what `{}` makes breaks a law of the IR: {}"};
constexpr Diag<std::int64_t, std::int64_t> kTooMuch{
    DiagCode::OutOfMemory, Severity::kError,
    "out of memory: the interpreter needs {} bytes, more than the memory limit of {} bytes"};
constexpr Diag<std::string> kCannotReadIr{DiagCode::CannotReadIr, Severity::kError, "cannot read `{}`"};

struct OptOptions {
  std::string file = "-";
  std::vector<std::string> passes;
  std::string core = "avx512";  // that `schedule` is for
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

/// Whether a name that ends at `end` has no more letters.
bool ends_word(std::string_view words, std::size_t end) {
  return end == words.size() || words[end - 1] == '=' ||
         std::string_view(" :={[").find(words[end]) != std::string_view::npos;
}

/// The line of the text that begins so; the first line if there is none.
SourceRange place_of(const Sources& sources, FileId file, std::string_view beginning) {
  std::uint32_t begin = 0;
  for (const std::string_view line : split_text(sources.text(file), '\n')) {
    const std::string_view words = trim(line);
    const auto length = static_cast<std::uint32_t>(line.size());
    if (!beginning.empty() && words.starts_with(beginning) && ends_word(words, beginning.size())) {
      const auto indent = static_cast<std::uint32_t>(words.data() - line.data());
      return {file, begin + indent, begin + indent + static_cast<std::uint32_t>(beginning.size())};
    }
    begin += length + 1;
  }
  return {file, 0, 0};
}

/// The text of one run and what is wrong with it.
struct Reading {
  Sources& sources;
  FileId file;
  Diagnostics& diagnostics;

  SourceRange place(const BrokenLaw& broken) const { return place_of(sources, file, broken.line); }
};

std::optional<Ir> parse_ir(const Reading& reading) {
  const auto refuse = [&](const std::optional<BrokenLaw>& broken) {
    if (broken) reading.diagnostics.report(reading.place(*broken), kBrokenLaw, broken->sentence);
  };
  if (is_loop_text(reading.sources.text(reading.file))) {
    std::optional<loop::Program> program =
        loop::parse_program(reading.sources, reading.file, reading.diagnostics);
    if (!program) return std::nullopt;
    refuse(loop::find_broken_law(*program));
    return Ir(std::move(*program));
  }
  std::optional<Graph> graph = parse_graph(reading.sources, reading.file, reading.diagnostics);
  if (!graph) return std::nullopt;
  refuse(find_broken_law(*graph, least_stage(*graph)));
  return Ir(std::move(*graph));
}

std::vector<std::string> pass_names() {
  std::vector<std::string> names{"loops", "schedule"};
  for (const PassInfo& pass : graph_pipeline()) names.emplace_back(pass.name);
  return names;
}

/// The passes that -p takes, in the order in which they can run. `update` needs a rule, which no text holds.
std::vector<std::string> passes_in_order() {
  std::vector<std::string> names;
  for (const PassInfo& pass : graph_pipeline()) {
    if (pass.name != "update") names.emplace_back(pass.name);
  }
  names.insert(names.end(), {"loops", "schedule"});
  return names;
}

std::vector<std::string> core_names() {
  std::vector<std::string> names;
  for (const loop::Core& core : loop::cores()) names.emplace_back(core.name);
  return names;
}

/// What a pass relies on.
std::optional<BrokenLaw> find_obstacle(const Graph& graph, Stage needs) {
  std::optional<BrokenLaw> broken = find_broken_law(graph, needs);
  if (!broken && needs == Stage::kFused) broken = find_bad_kernel(graph);
  return broken;
}

/// The passes that stand before one in the pipeline and can be run here.
std::string passes_before(std::string_view name) {
  std::vector<std::string> names;
  for (const PassInfo& pass : graph_pipeline()) {
    if (pass.name == name) break;
    if (pass.name != "update") names.push_back(fmt::format("`{}`", pass.name));
  }
  return join_words(names);
}

/// Whether the graph is what the pass relies on; else a diagnostic.
bool check_ready(const Reading& reading, const Graph& graph, const std::string& name, Stage needs) {
  const std::optional<BrokenLaw> broken = find_obstacle(graph, needs);
  if (!broken) return true;
  Report report = reading.diagnostics.report(reading.place(*broken), kNotReady, name, broken->sentence);
  const bool is_pass = name == "loops" || find_pass(name) != nullptr;
  const std::string before = is_pass ? passes_before(name) : "";
  if (!before.empty()) report.note(fmt::format("before `{}` stand {}", name, before));
  return false;
}

bool lower(Ir& ir, const Reading& reading) {
  const Graph graph = std::get<Graph>(ir);
  if (!check_ready(reading, graph, "loops", Stage::kFused)) return false;
  loop::Program program = lower_to_loops(graph, plan_memory(graph));
  std::optional<BrokenLaw> broken = loop::find_broken_law(program);
  if (!broken) {
    if (auto sentence = loop::prove_memory(program, loop::obligations_of(graph))) {
      broken = BrokenLaw{*std::move(sentence), ""};
    }
  }
  if (broken) reading.diagnostics.report(reading.place(*broken), kBadResult, "loops", broken->sentence);
  ir = std::move(program);
  return !broken;
}

bool run_graph_pass(Graph& graph, const PassInfo& pass, const Reading& reading) {
  const std::string name(pass.name);
  if (!check_ready(reading, graph, name, pass.needs)) return false;
  Graph next = pass.run(graph, PassContext{});
  name_nodes(next);
  std::optional<BrokenLaw> broken = find_broken_law(next, pass.stage);
  if (!broken && pass.stage >= Stage::kSimplified) {
    if (auto lost = verify_kept(graph, next)) broken = BrokenLaw{*std::move(lost), ""};
  }
  if (broken) reading.diagnostics.report(reading.place(*broken), kBadResult, name, broken->sentence);
  graph = std::move(next);
  return !broken;
}

/// The loops once more for `core`; what another schedule said of them is forgotten.
bool schedule(loop::Program& program, const std::string& core, const Reading& reading) {
  program = schedule_loops(std::move(program), *loop::find_core(core));
  const std::optional<BrokenLaw> broken = loop::verify_schedule(program);
  if (broken) reading.diagnostics.report(reading.place(*broken), kBadResult, "schedule", broken->sentence);
  return !broken;
}

/// Runs one pass; false after a diagnostic.
bool run_pass(Ir& ir, const std::string& name, const OptOptions& options, const Reading& reading) {
  Graph* graph = std::get_if<Graph>(&ir);
  if (graph == nullptr && name == "schedule") {
    return schedule(std::get<loop::Program>(ir), options.core, reading);
  }
  const PassInfo* pass = find_pass(name);
  if (graph != nullptr && name == "loops") return lower(ir, reading);
  if (graph != nullptr && pass != nullptr && name != "update") return run_graph_pass(*graph, *pass, reading);
  Report report = reading.diagnostics.report({reading.file, 0, 0}, kUnknownPass, name);
  if (name == "update")
    report.note("`update` needs the optimizer's text: use `dlg show --stage update FILE`");
  if (const auto near = nearest_name(name, pass_names())) report.note("did you mean `" + *near + "`?");
  report.note("the passes are " + join_words(passes_in_order()) +
              ", the last one on loops, all others on graphs");
  return false;
}

/// Whether the interpreter can run this; else a diagnostic.
bool check_runnable(const Ir& ir, const Reading& reading) {
  if (const Graph* graph = std::get_if<Graph>(&ir)) {
    return check_ready(reading, *graph, "--interpret", std::max(Stage::kUpdated, least_stage(*graph))) &&
           check_interpreter_memory(*graph, graph->batch, reading.diagnostics);
  }
  const auto& program = std::get<loop::Program>(ir);
  std::int64_t needed = 0;
  for (const loop::Buffer& buffer : program.buffers) {
    const std::int64_t elements = buffer.type.shape.elements(program.batch);
    needed = checked_add(needed, multiply_sizes(elements, dtype_bytes(DType::kF64)))
                 .value_or(std::numeric_limits<std::int64_t>::max());
  }
  if (needed <= memory_limit()) return true;
  reading.diagnostics.report({reading.file, 0, 0}, kTooMuch, needed, memory_limit());
  return false;
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
  loop::Interpreter interpreter(program);
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < program.batch; ++i) order.push_back(i);
  interpreter.step(program.batch, order);
  for (const loop::BufferId id : program.buffers.ids()) {
    const loop::Buffer& buffer = program.buffers[id];
    const bool is_shown = buffer.kind == loop::BufferKind::kOutput || buffer.kind == loop::BufferKind::kState;
    if (is_shown) print_values(out, buffer.source, interpreter.buffer(id));
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
  const Reading reading{sources, file, diagnostics};
  std::optional<Ir> ir = diagnostics.has_errors() ? std::nullopt : parse_ir(reading);
  for (const std::string& pass : options.passes) {
    if (diagnostics.has_errors() || !run_pass(*ir, pass, options, reading)) break;
  }
  if (!diagnostics.has_errors() && options.is_interpreted) check_runnable(*ir, reading);
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
                 "passes to run, in order: " + join_text(passes_in_order(), ", "))
      ->delimiter(',')
      ->allow_extra_args(false);
  const std::vector<std::string> cores = core_names();
  app.add_option("--core", options.core, "what `schedule` is for")
      ->check(CLI::IsMember(cores).description(""))
      ->type_name("{" + join_text(cores, ",") + "}");
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
