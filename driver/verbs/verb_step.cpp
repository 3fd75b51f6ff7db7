// Owns `dlg step`: every value, derivative and update of one training step.
#include <fmt/ostream.h>

#include <algorithm>

#include "driver/data/tensor_text.h"
#include "driver/engine/programs.h"
#include "driver/step/opened_step.h"
#include "driver/step/step_against.h"
#include "driver/step/step_picture.h"
#include "driver/step/step_why.h"
#include "driver/verbs/verbs.h"
#include "support/text.h"

namespace dlg {
namespace {

/// What the lines of one step are made from.
struct StepView {
  Session& session;
  const CheckedProgram& program;
  std::int64_t rows;
  std::int64_t sample;
  const Observations& before;
};

/// The part of a value that is shown: of a per-sample value that of the chosen sample.
std::string shown_text(const StepView& view, const TensorType& type, const std::vector<double>& values) {
  const std::optional<std::size_t> batch = type.shape.batch_axis();
  if (batch != std::size_t{0}) return tensor_text(type.shape.at(view.rows), values, type.dtype);
  const std::vector<std::int64_t>& dims = type.shape.dims();
  const Shape sample(std::vector<std::int64_t>(dims.begin() + 1, dims.end()));
  const auto count = static_cast<std::size_t>(sample.elements());
  const auto begin = static_cast<std::size_t>(view.sample) * count;
  return tensor_text(sample, std::span(values).subspan(begin, count), type.dtype);
}

void print_line(const StepView& view, const std::string& name, const std::string& text, SourceRange range) {
  fmt::print(view.session.streams.out, "  {:<16} {}  ; {}\n", name, text,
             view.session.sources.line_reference(range));
}

void print_forward(const StepView& view, const Inspection& inspection) {
  fmt::print(view.session.streams.out, "forward\n");
  for (const InspectedValue& value : inspection.values) {
    print_line(view, value.name, shown_text(view, value.type, view.before.at("value." + value.name)),
               value.range);
  }
  fmt::print(view.session.streams.out, "  {:<16} {}\n", "loss", value_text(view.before.at("loss").front()));
}

/// One derivative: of a named value or of a parameter.
struct Derivative {
  std::string name;
  std::string output;
  TensorType type;
  SourceRange range;
};

std::vector<Derivative> derivatives_of(const CheckedProgram& program, const Inspection& inspection) {
  std::vector<Derivative> all;
  for (const InspectedValue& value : inspection.values) {
    if (value.has_gradient) all.push_back({"d" + value.name, "grad." + value.name, value.type, value.range});
  }
  for (const State& state : trained_parameters(program.graph)) {
    all.push_back({"d" + state.path, "grad." + state.path, state.type, state.origin});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Derivative& a, const Derivative& b) { return a.range < b.range; });
  return all;
}

void print_backward(const StepView& view, const Inspection& inspection) {
  fmt::print(view.session.streams.out, "backward (dx is d loss / d x)\n");
  for (const Derivative& derivative : derivatives_of(view.program, inspection)) {
    const auto found = view.before.find(derivative.output);
    if (found == view.before.end()) continue;
    print_line(view, derivative.name, shown_text(view, derivative.type, found->second), derivative.range);
  }
}

void print_change(const StepView& view, const State& state, const StateValues& old_states,
                  const StateValues& new_states) {
  const std::string text = fmt::format("{} -> {}", tensor_text(state.type.shape, old_states.at(state.path)),
                                       tensor_text(state.type.shape, new_states.at(state.path)));
  print_line(view, state.path, text, state.origin);
}

/// What the states of models become.
void print_states(const StepView& view, const StateValues& old_states, const StateValues& new_states) {
  bool is_first = true;
  for (const State& state : view.program.graph.states) {
    if (state.kind != StateKind::kModel) continue;
    if (is_first) fmt::print(view.session.streams.out, "states\n");
    is_first = false;
    print_change(view, state, old_states, new_states);
  }
}

/// Parameters first, then the states of the rule that changed.
void print_update(const StepView& view, const StateValues& old_states, const StateValues& new_states) {
  std::vector<std::string> arguments;
  for (const RuleArgument& argument : view.program.training->rule.arguments) {
    arguments.push_back(fmt::format("{} = {}", argument.name, argument.text));
  }
  fmt::print(view.session.streams.out, "update by {}({})\n", view.program.training->rule.name,
             join_text(arguments, ", "));
  for (const State& state : trained_parameters(view.program.graph)) {
    print_change(view, state, old_states, new_states);
  }
  for (const auto& [path, values] : new_states) {
    if (view.program.graph.find_state(path)) continue;
    const Shape flat{static_cast<std::int64_t>(values.size())};
    fmt::print(view.session.streams.out, "  {:<16} {} -> {}\n", path, tensor_text(flat, old_states.at(path)),
               tensor_text(flat, values));
  }
}

}  // namespace

int verb_step(Session& session, CommandLine& line) {
  StepOptions options;
  if (!line.read(session.file_options, session.engine_options, options)) return line.exit_code();
  if (!options.against.empty()) return step_against(session, options);
  if (!options.why.empty()) return step_why(session, options);
  if (!options.picture.empty()) return step_picture(session, options);
  const std::unique_ptr<OpenedStep> opened = open_step(session, options);
  if (!opened) return session.report();
  Laboratory& laboratory = *opened->laboratory;
  const Observations before = laboratory.observe(laboratory.initial());
  if (session.diagnostics.has_errors()) return session.report();
  const StepView view{session, opened->setup.program, laboratory.rows(), options.sample, before};
  fmt::print(session.streams.out, "step 1 of {}, sample {} of {}\n", session.file_options.file,
             options.sample, counted(laboratory.rows(), "row"));
  print_forward(view, opened->inspection);
  print_backward(view, opened->inspection);
  const std::optional<StateValues> after = first_update(session, laboratory, laboratory.initial());
  if (!after) return session.diagnostics.has_errors() ? session.report() : kExitDiverged;
  print_states(view, laboratory.initial(), *after);
  print_update(view, laboratory.initial(), *after);
  fmt::print(session.streams.out, "loss before {}, after {}\n", value_text(before.at("loss").front()),
             value_text(laboratory.observe(*after).at("loss").front()));
  return session.report();
}

}  // namespace dlg
