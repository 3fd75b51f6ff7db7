#include "driver/reference.h"

#include <algorithm>

#include "ir/ops/registry.h"
#include "passes/differentiate.h"
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
  const auto fault = first_fault(graph_, uses_, rows, [&](ValueId value) { return values_[value].elements; });
  has_fault_ = fault.has_value();
  if (fault && on_fault_) on_fault_(*fault);
  if (fault) return;
  for (const Effect& effect : graph_.effects) {
    environment_.states[graph_.states[effect.state].path] = values_[effect.value];
  }
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

const std::vector<double>& Reference::output(std::string_view name) const {
  const std::optional<ValueId> value = graph_.find_output(name);
  DLG_CHECK(value.has_value(), "no output " + std::string(name));
  return values_[*value].elements;
}

}  // namespace dlg
