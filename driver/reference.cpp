#include "driver/reference.h"

#include "support/check.h"

namespace dlg {
namespace {

/// The chosen rows of a field, row-major.
std::vector<double> pick_rows(const std::vector<double>& all, const std::vector<std::int64_t>& rows,
                              std::int64_t row_elements) {
  std::vector<double> picked;
  picked.reserve(rows.size() * static_cast<std::size_t>(row_elements));
  for (const std::int64_t row : rows) {
    const auto begin = all.begin() + row * row_elements;
    picked.insert(picked.end(), begin, begin + row_elements);
  }
  return picked;
}

}  // namespace

Reference::Reference(Graph graph, std::map<std::string, std::vector<double>> inputs)
    : graph_(std::move(graph)), inputs_(std::move(inputs)), uses_(index_uses(graph_)) {
  for (const Hyper& hyper : graph_.hypers) environment_.hypers[hyper.name] = hyper.value;
}

void Reference::set_states(const StateValues& values) {
  for (const State& state : graph_.states) {
    const auto found = values.find(state.path);
    if (found != values.end()) environment_.states[state.path] = {state.type.shape, found->second};
  }
}

StateValues Reference::states() const {
  StateValues values;
  for (const auto& [path, tensor] : environment_.states) values[path] = tensor.elements;
  return values;
}

void Reference::run_rows(const std::vector<std::int64_t>& rows) {
  environment_.rows = std::max<std::int64_t>(1, static_cast<std::int64_t>(rows.size()));
  for (const Input& input : graph_.inputs) {
    const std::int64_t row_elements = input.type.shape.elements(1);
    environment_.inputs[input.path] = {input.type.shape.at(environment_.rows),
                                       pick_rows(inputs_.at(input.path), rows, row_elements)};
  }
  values_ = interpret(graph_, environment_);
  const auto fault = first_fault(graph_, uses_, rows, [&](ValueId value) { return values_[value].elements; });
  has_fault_ = fault.has_value();
  if (fault && on_fault_) on_fault_(*fault);
  if (fault) return;
  for (const Effect& effect : graph_.effects) {
    environment_.states[graph_.states[effect.state].path] = values_[effect.value];
  }
}

const std::vector<double>& Reference::output(std::string_view name) const {
  const std::optional<ValueId> value = graph_.find_output(name);
  DLG_CHECK(value.has_value(), "no output " + std::string(name));
  return values_[*value].elements;
}

}  // namespace dlg
