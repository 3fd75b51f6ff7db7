#include "driver/step/step_numbers.h"

#include <fmt/format.h>

#include "support/text.h"

namespace dlg {
namespace {

/// "net.W1[0, 1]" as `net.W1` and {0, 1}; nullopt: brackets or numbers are wrong.
struct ElementName {
  std::string name;
  std::vector<std::int64_t> indices;
};

std::optional<ElementName> parse_element(std::string_view text) {
  const std::size_t open = text.rfind('[');
  if (open == std::string_view::npos || !text.ends_with(']')) return ElementName{std::string(trim(text)), {}};
  ElementName element{std::string(trim(text.substr(0, open))), {}};
  for (const std::string_view word : split_text(text.substr(open + 1, text.size() - open - 2), ',')) {
    const std::string_view digits = trim(word);
    constexpr std::size_t kMostDigits = 15;
    const bool is_number = !digits.empty() && digits.size() <= kMostDigits &&
                           digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (!is_number) return std::nullopt;
    element.indices.push_back(static_cast<std::int64_t>(*parse_number(digits)));
  }
  return element;
}

/// The row-major place of an element; nullopt: the indices do not fit.
std::optional<std::size_t> place_of(const Shape& shape, const std::vector<std::int64_t>& indices) {
  if (indices.size() != shape.rank()) return std::nullopt;
  std::int64_t place = 0;
  for (std::size_t axis = 0; axis < indices.size(); ++axis) {
    if (indices[axis] >= shape[axis]) return std::nullopt;
    place = place * shape[axis] + indices[axis];
  }
  return static_cast<std::size_t>(place);
}

std::string index_text(const std::vector<std::int64_t>& indices) {
  if (indices.empty()) return "";
  std::vector<std::string> words;
  for (const std::int64_t index : indices) words.push_back(std::to_string(index));
  return "[" + join_text(words, ", ") + "]";
}

std::string shape_words(const Shape& shape) {
  if (shape.rank() == 0) return "a single number, without an index";
  std::vector<std::string> sizes;
  for (const std::int64_t size : shape.dims()) sizes.push_back(std::to_string(size));
  return join_text(sizes, " x ") + " numbers; indices begin at 0";
}

}  // namespace

std::optional<StepNumbers> StepNumbers::after(Session& session, const StepOptions& options,
                                              const StepChange& change, int& exit_code) {
  Session changed{.streams = session.streams,
                  .file_options = session.file_options,
                  .engine_options = session.engine_options};
  if (change.setting) changed.file_options.overrides.push_back(*change.setting);
  const std::unique_ptr<OpenedStep> opened = open_step(changed, options);
  if (!opened) {
    exit_code = changed.report();
    return std::nullopt;
  }
  StateValues start = opened->laboratory->initial();
  if (!change.state.empty()) start.at(change.state).at(change.element) = change.value;
  return of(changed, *opened, start, exit_code);
}

std::optional<StepNumbers> StepNumbers::of(Session& session, const OpenedStep& opened,
                                           const StateValues& start, int& exit_code) {
  const CheckedProgram& program = opened.setup.program;
  const Observations before = opened.laboratory->observe(start);
  const std::optional<StateValues> end = first_update(session, *opened.laboratory, start);
  if (!end || session.diagnostics.has_errors()) {
    exit_code = session.diagnostics.has_errors() ? session.report() : kExitDiverged;
    return std::nullopt;
  }
  StepNumbers numbers;
  numbers.add_values(opened.inspection, before, opened.sample);
  numbers.add_states(program.graph, start, *end);
  for (const State& state : trained_parameters(program.graph)) {
    const auto found = before.find("grad." + state.path);
    if (found != before.end()) numbers.add("d", state.path, {state.type.shape, found->second});
  }
  numbers.add("", "loss", {Shape{}, before.at("loss")});
  numbers.add("new ", "loss", {Shape{}, opened.laboratory->observe(*end).at("loss")});
  for (const Hyper& hyper : program.training->rule.hypers)
    numbers.add("", hyper.name, {Shape{}, {hyper.value}, StepRole::kSetting, hyper.name});
  return numbers;
}

void StepNumbers::add_values(const Inspection& inspection, const Observations& before, std::int64_t sample) {
  for (const InspectedValue& value : inspection.values) {
    Shape shape = value.type.shape;
    const bool is_of_sample = shape.batch_axis() == std::size_t{0};
    if (is_of_sample) {
      const std::vector<std::int64_t>& dims = value.type.shape.dims();
      shape = Shape(std::vector<std::int64_t>(dims.begin() + 1, dims.end()));
    }
    for (const auto& [prefix, output] : {std::pair("", "value."), std::pair("d", "grad.")}) {
      const auto found = before.find(output + value.name);
      if (found == before.end()) continue;
      const std::ptrdiff_t count = shape.elements();
      const auto begin = found->second.begin() + (is_of_sample ? sample * count : 0);
      add(prefix, value.name, {shape, std::vector<double>(begin, begin + count)});
    }
  }
}

void StepNumbers::add_states(const Graph& graph, const StateValues& start, const StateValues& end) {
  for (const State& state : graph.states) {
    const auto found = start.find(state.path);
    if (found == start.end()) continue;
    add("", state.path, {state.type.shape, found->second, StepRole::kStart, state.path});
    const bool is_changed = state.kind == StateKind::kParameter || state.kind == StateKind::kModel;
    if (is_changed) add("new ", state.path, {state.type.shape, end.at(state.path)});
  }
}

void StepNumbers::add(const std::string& prefix, const std::string& path, Entry entry) {
  const std::string name = prefix + path;
  if (!entries_.emplace(name, std::move(entry)).second) return;
  for (std::size_t dot = path.find('.'); dot != std::string::npos; dot = path.find('.', dot + 1)) {
    short_names_[prefix + path.substr(dot + 1)].push_back(name);
  }
}

const std::pair<const std::string, StepNumbers::Entry>* StepNumbers::entry_of(const std::string& name,
                                                                              StepNameFault& fault) const {
  if (const auto found = entries_.find(name); found != entries_.end()) return &*found;
  const auto shortened = short_names_.find(name);
  if (shortened != short_names_.end()) {
    const std::vector<std::string>& full = shortened->second;
    if (full.size() == 1) return &*entries_.find(full.front());
    fault = {fmt::format("`{}` may be {}", name, join_words(full, " or ")), std::nullopt};
    return nullptr;
  }
  std::vector<std::string> names;
  for (const auto& [known, entry] : entries_) names.push_back(known);
  for (const auto& [known, full] : short_names_) names.push_back(known);
  fault = {fmt::format("a step has no number `{}`", name), nearest_name(name, names)};
  return nullptr;
}

std::optional<StepNumber> StepNumbers::find(std::string_view text, StepNameFault& fault) const {
  std::optional<ElementName> element = parse_element(trim(text));
  if (!element) {
    fault = {fmt::format("`{}` is no name with indices like `[0, 1]`", text), std::nullopt};
    return std::nullopt;
  }
  const auto* entry = entry_of(element->name, fault);
  StepNameFault ignored;
  if (entry == nullptr && (entry = entry_of(std::string(trim(text)), ignored)) != nullptr)
    element->indices.clear();  // the brackets number an instance: `net.dense[0]`
  if (entry == nullptr) return std::nullopt;
  const auto& [name, numbers] = *entry;
  const std::optional<std::size_t> place = place_of(numbers.shape, element->indices);
  if (!place) {
    fault = {fmt::format("`{}` is {}", name, shape_words(numbers.shape)), std::nullopt};
    return std::nullopt;
  }
  return StepNumber{name + index_text(element->indices), numbers.values[*place], numbers.role,
                    numbers.owner.empty() ? name : numbers.owner, *place};
}

}  // namespace dlg
