#include "driver/engine/reference.h"

#include <algorithm>
#include <cmath>

#include "ir/graph/rule_states.h"
#include "ir/ops/registry.h"
#include "passes/derive/differentiate.h"
#include "support/check.h"
#include "support/memory_limit.h"

namespace dlg {
namespace {

constexpr Diag<std::int64_t, std::int64_t> kTooMuch{
    DiagCode::OutOfMemory, Severity::kError,
    "out of memory: the f64 interpreter needs {} bytes, more than the memory limit of {} bytes"};

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

/// A number from outside as code keeps it: rounded to its element type.
Bound stored(double x, DType dtype) {
  if (dtype != DType::kF32 || !std::isfinite(x)) return {x, 0, unit_of(dtype)};
  return {x, std::abs(x - static_cast<double>(static_cast<float>(x))), unit_of(dtype)};
}

Tensor<Bound> stored(const Tensor<double>& tensor, DType dtype) {
  Tensor<Bound> copy{tensor.shape, {}};
  copy.elements.reserve(tensor.elements.size());
  for (const double x : tensor.elements) copy.elements.push_back(stored(x, dtype));
  return copy;
}

/// The interpreter knows no derivatives, only what they are made of.
Graph without_gradients(Graph graph) {
  const bool asks = std::any_of(graph.nodes.begin(), graph.nodes.end(),
                                [](const Node& node) { return node.op == &ops::gradient; });
  return asks ? resolve_gradients(graph) : std::move(graph);
}

}  // namespace

Reference::Reference(Graph graph, std::map<std::string, std::vector<double>> inputs)
    : graph_(without_gradients(std::move(graph))), inputs_(std::move(inputs)), uses_(index_uses(graph_)) {
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
  const std::optional<StepFault> fault = find_fault(rows);
  has_fault_ = fault.has_value();
  if (fault && on_fault_) on_fault_(*fault);
  if (fault) return;
  for (const Effect& effect : graph_.effects) {
    environment_.states[graph_.states[effect.state].path] = values_[effect.value];
  }
}

std::optional<StepFault> Reference::find_fault(const std::vector<std::int64_t>& rows) const {
  const auto outside =
      first_fault(graph_, uses_, rows, [&](ValueId value) { return values_[value].elements; });
  if (outside) return *outside;
  const std::optional<ValueId> fault = graph_.find_output(kFaultOutput);
  if (!fault || values_[*fault].elements.front() == 0) return std::nullopt;
  const auto before = environment_.states.find(rule_state_path(kMicroRowsState));
  return fault_of_update(graph_, output(kWeightOutput).front(),
                         before == environment_.states.end() ? 0 : before->second.elements.front());
}

bool check_interpreter_memory(const Graph& graph, std::int64_t rows, Diagnostics& diagnostics) {
  const std::int64_t needed = interpreter_bytes(graph, rows);
  const std::int64_t limit = memory_limit();
  if (needed <= limit) return true;
  const auto elements = [&](ValueId value) { return graph.type(value).shape.elements(rows); };
  ValueId largest{0};
  for (const ValueId value : graph.nodes.ids()) {
    if (elements(value) > elements(largest)) largest = value;
  }
  const std::vector<SourceRange>& origins = graph.infos[largest].origins;
  diagnostics.report(origins.empty() ? SourceRange{} : origins.front(), kTooMuch, needed, limit)
      .note(fmt::format("the largest value is `{}` {} with {} elements", graph.name(largest),
                        type_text(graph.type(largest)), elements(largest)));
  return false;
}

bool Reference::check_memory(std::int64_t rows, Diagnostics& diagnostics) const {
  return check_interpreter_memory(graph_, rows, diagnostics);
}

std::map<std::string, std::vector<double>> Reference::outputs() const {
  std::map<std::string, std::vector<double>> values;
  for (const Output& output : graph_.outputs) values[output.name] = values_[output.value].elements;
  return values;
}

std::optional<std::map<std::string, std::vector<double>>> Reference::rounding_bounds() const {
  const std::int64_t bytes = interpreter_bytes(graph_, environment_.rows);
  if (bytes > memory_limit() / kBytesWithBounds) return std::nullopt;
  Environment<Bound> environment;
  environment.rows = environment_.rows;
  for (const State& state : graph_.states) {
    const auto found = environment_.states.find(state.path);
    if (found == environment_.states.end()) continue;
    environment.states[state.path] = stored(found->second, state.type.dtype);
  }
  for (const Input& input : graph_.inputs) {
    environment.inputs[input.path] = stored(environment_.inputs.at(input.path), input.type.dtype);
  }
  for (const auto& [name, value] : environment_.hypers) environment.hypers[name] = stored(value, DType::kF64);
  const IdVector<ValueId, Tensor<Bound>> values = interpret(graph_, environment);
  std::map<std::string, std::vector<double>> bounds;
  for (const Output& output : graph_.outputs) {
    std::vector<double>& errors = bounds[output.name];
    for (const Bound& bound : values[output.value].elements) errors.push_back(bound.error);
  }
  return bounds;
}

const std::vector<double>& Reference::output(std::string_view name) const {
  const std::optional<ValueId> value = graph_.find_output(name);
  DLG_CHECK(value.has_value(), "no output " + std::string(name));
  return values_[*value].elements;
}

}  // namespace dlg
