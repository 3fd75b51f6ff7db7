#include "ir/ops/interpret.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "ir/graph/scopes.h"
#include "ir/ops/contract_sums.h"
#include "ir/ops/interpret_parts.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

/// A graph without composites, and where each value of the original went.
struct Expanded {
  Graph graph;
  IdVector<ValueId, ValueId> map;
};

Node mapped_node(const Node& node, const IdVector<ValueId, ValueId>& map) {
  Node copy = node;
  for (ValueId& operand : copy.operands) operand = map[operand];
  return copy;
}

ValueId expand_node(Builder& builder, const Node& node) {
  if (const Composite* composite = std::get_if<Composite>(&node.op->lowering)) {
    CompositeScope scope(builder, node);
    return composite->expand(scope);
  }
  return builder.add(*node.op, node.operands, node.attributes, node.type);
}

/// Copies the nodes in `wanted`, composites by one level of their expansion.
Expanded expand_once(const Graph& source, const IdVector<ValueId, char>& wanted) {
  Expanded result{{}, IdVector<ValueId, ValueId>(source.nodes.size())};
  Builder builder(result.graph);
  for (const ValueId value : source.nodes.ids()) {
    if (!wanted[value]) continue;
    result.map[value] = expand_node(builder, mapped_node(source[value], result.map));
  }
  return result;
}

bool has_composite(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (is<Composite>(*node.op)) return true;
  }
  return false;
}

Expanded expand_all(const Graph& source) {
  Expanded all = expand_once(source, live_values(source));
  while (has_composite(all.graph)) {
    Expanded next = expand_once(all.graph, IdVector<ValueId, char>(all.graph.nodes.size(), 1));
    for (ValueId& value : all.map) {
      if (value.is_valid()) value = next.map[value];
    }
    all.graph = std::move(next.graph);
  }
  return all;
}

template <class Number>
Evaluator<Number> find_any_evaluator(const OpDef& op) {
  for (const auto part : {leaf_evaluator<Number>, map_evaluator<Number>, reduce_evaluator<Number>,
                          shape_evaluator<Number>, index_evaluator<Number>, contract_evaluator<Number>}) {
    if (const Evaluator<Number> evaluate = part(op)) return evaluate;
  }
  return nullptr;
}

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// The points that a contraction or a window goes over, whether they count or not.
std::int64_t point_count(const Graph& graph, const Node& node, const ContractLabels& labels,
                         std::int64_t rows) {
  std::array<Shape, 2> operands;
  for (std::size_t i = 0; i < node.operands.size(); ++i)
    operands[i] = graph.type(node.operands[i]).shape.at(rows);
  std::int64_t points = 1;
  for (const auto& [label, size] : label_sizes(labels, operands[0], operands[1], node.type.shape.at(rows)))
    points = saturated_mul(points, size);
  return points;
}

/// What one node does, in points or elements.
std::int64_t node_work(const Graph& graph, const Node& node, std::int64_t rows) {
  if (const auto* contracted = std::get_if<ContractedAxes>(&node.attributes))
    return point_count(graph, node, contracted->labels, rows);
  std::int64_t most = node.type.shape.elements(rows);
  for (const ValueId operand : node.operands) most = std::max(most, graph.type(operand).shape.elements(rows));
  return most;
}

}  // namespace

template <class Number>
IdVector<ValueId, Tensor<Number>> interpret(const Graph& graph, const Environment<Number>& environment) {
  const Expanded expanded = expand_all(graph);
  IdVector<ValueId, Tensor<Number>> values(expanded.graph.nodes.size());
  for (const ValueId value : expanded.graph.nodes.ids()) {
    const Node& node = expanded.graph[value];
    const Evaluator<Number> evaluate = find_any_evaluator<Number>(*node.op);
    DLG_CHECK(evaluate != nullptr, fmt::format("the interpreter does not know `{}`", node.op->name));
    Call<Number> call{expanded.graph, node, environment, {}, node.type.shape.at(environment.rows)};
    for (const ValueId operand : node.operands) call.operands.push_back(&values[operand]);
    values[value] = evaluate(call);
  }
  IdVector<ValueId, Tensor<Number>> results(graph.nodes.size());
  for (const ValueId value : graph.nodes.ids()) {
    if (expanded.map[value].is_valid()) results[value] = values[expanded.map[value]];
  }
  return results;
}

std::int64_t interpreter_bytes(const Graph& graph, std::int64_t rows) {
  constexpr std::int64_t kNumberBytes = sizeof(double);
  std::int64_t bytes = 0;
  const auto count_shape = [&](const Shape& shape) {
    bytes = checked_add(bytes, multiply_sizes(shape.elements(rows), kNumberBytes)).value_or(kMost);
  };
  const auto count = [&](const Graph& of, ValueId value) { count_shape(of.type(value).shape); };
  for (const State& state : graph.states) count_shape(state.type.shape);
  for (const Input& input : graph.inputs) count_shape(input.type.shape);
  const Expanded expanded = expand_all(graph);
  for (const ValueId value : expanded.graph.nodes.ids()) count(expanded.graph, value);
  // Each value of the graph is a copy.
  for (const ValueId value : graph.nodes.ids()) {
    if (expanded.map[value].is_valid()) count(graph, value);
  }
  return bytes;
}

std::int64_t interpreter_work(const Graph& graph, std::int64_t rows) {
  const Expanded expanded = expand_all(graph);
  std::int64_t work = 0;
  for (const Node& node : expanded.graph.nodes)
    work = checked_add(work, node_work(expanded.graph, node, rows)).value_or(kMost);
  return work;
}

template IdVector<ValueId, Tensor<double>> interpret(const Graph&, const Environment<double>&);
template IdVector<ValueId, Tensor<Dual>> interpret(const Graph&, const Environment<Dual>&);
template IdVector<ValueId, Tensor<SecondDual>> interpret(const Graph&, const Environment<SecondDual>&);
template IdVector<ValueId, Tensor<Bound>> interpret(const Graph&, const Environment<Bound>&);

}  // namespace dlg
