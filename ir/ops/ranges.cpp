#include "ir/ops/ranges.h"

#include <algorithm>
#include <functional>
#include <map>

#include "ir/graph/builder.h"
#include "ir/ops/interpret.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

Interval of_type(DType dtype) {
  if (dtype == DType::kU8) return Interval::below(256);
  return dtype == DType::kBool ? Interval::below(2) : Interval{};
}

/// Beyond the ends of its type a number wraps around.
bool wraps(Interval range, DType dtype) {
  constexpr double kEnd = 0x1p31;
  return dtype == DType::kI32 && range.is_finite() && (range.low < -kEnd || range.high >= kEnd);
}

class Analysis {
 public:
  explicit Analysis(const Graph& graph) : graph_(graph) {}

  /// Operands first, without recursion: graphs are deep.
  Interval run(ValueId value) {
    std::vector<ValueId> open{value};
    while (!open.empty()) {
      const ValueId next = open.back();
      if (known_.count(next) > 0) {
        open.pop_back();
        continue;
      }
      const std::vector<ValueId> missing = missing_operands(next);
      open.insert(open.end(), missing.begin(), missing.end());
      if (!missing.empty()) continue;
      known_[next] = compute(next);
      open.pop_back();
    }
    return known_.at(value);
  }

 private:
  bool is_ruled(ValueId value) const {
    const Node& node = graph_[value];
    return !is_float(node.type.dtype) && (node.op->range != nullptr || node.op->is_selection);
  }

  std::vector<ValueId> missing_operands(ValueId value) const {
    std::vector<ValueId> missing;
    if (!is_ruled(value)) return missing;
    for (const ValueId operand : graph_[value].operands) {
      if (known_.count(operand) == 0) missing.push_back(operand);
    }
    return missing;
  }

  Interval compute(ValueId value) const {
    const Node& node = graph_[value];
    const Interval whole = of_type(node.type.dtype);
    if (!is_ruled(value)) return whole;
    std::vector<Interval> operands;
    for (const ValueId operand : node.operands) operands.push_back(known_.at(operand));
    if (node.op->is_selection) return operands.front();
    const Interval range = node.op->range({graph_, node, operands});
    return wraps(range, node.type.dtype) ? whole : range;
  }

  const Graph& graph_;
  std::map<ValueId, Interval> known_;
};

/// Selections of more elements are not followed: their indices are guarded.
constexpr std::size_t kMostFollowed = std::size_t{1} << 20;

/// The limit of each element of a value in a batch of one row; empty: none has one.
using Limits = std::vector<std::int64_t>;

void tighten(Limits& limits, std::size_t count, std::size_t element, std::int64_t limit) {
  if (limit == 0) return;
  if (limits.empty()) limits.assign(count, 0);
  std::int64_t& known = limits[element];
  known = known == 0 ? limit : std::min(known, limit);
}

std::size_t row_elements(const Graph& graph, ValueId value) {
  return static_cast<std::size_t>(graph.type(value).shape.elements(1));
}

/// Which element of its operand each element of a selection is, in a batch of one row.
std::vector<double> origins(const Graph& graph, ValueId selection) {
  const Node& node = graph[selection];
  const Shape from = graph.type(node.operands.front()).shape.at(1);
  Graph alone;
  Builder builder(alone);
  const TensorType type{DType::kF64, from};
  alone.states.add({"x", type, StateKind::kConstant, {}, {}});
  const ValueId x = builder.add(ops::state, {}, LeafPath{"x"}, type);
  const ValueId moved =
      builder.add(*node.op, {x}, node.attributes, TensorType{DType::kF64, node.type.shape.at(1)});
  alone.outputs = {{"moved", moved}};
  Environment<double> numbered;
  Tensor<double>& elements = numbered.states["x"] = {from, {}};
  for (std::int64_t i = 0; i < from.elements(); ++i) elements.elements.push_back(static_cast<double>(i));
  return interpret(alone, numbered)[moved].elements;
}

/// One number where all are the same.
Limits shortened(Limits limits) {
  const bool is_same =
      std::adjacent_find(limits.begin(), limits.end(), std::not_equal_to<>()) == limits.end();
  if (is_same && !limits.empty()) limits.resize(1);
  return limits;
}

}  // namespace

Interval range_of(const Graph& graph, ValueId value) {
  return Analysis(graph).run(value);
}

std::vector<IndexUse> index_uses(const Graph& graph) {
  std::vector<IndexUse> uses;
  for (const ValueId value : graph.nodes.ids()) {
    const Node& node = graph[value];
    if (!node.op->index) continue;
    uses.push_back({value, node.operands[node.op->index->operand], node.op->index->extent(graph, node)});
  }
  return uses;
}

void limit_inputs(Graph& graph) {
  IdVector<ValueId, Limits> limits(graph.nodes.size());
  for (const IndexUse& use : index_uses(graph)) {
    const std::size_t count = row_elements(graph, use.index);
    for (std::size_t i = 0; i < count; ++i) tighten(limits[use.index], count, i, use.extent);
  }
  for (Input& input : graph.inputs) input.below.clear();
  for (std::uint32_t i = static_cast<std::uint32_t>(graph.nodes.size()); i-- > 0;) {
    const ValueId value{i};
    const Node& node = graph[value];
    if (limits[value].empty()) continue;
    for (Input& input : graph.inputs) {
      if (node.op == &ops::input && input.path == std::get<LeafPath>(node.attributes).path)
        input.below = shortened(limits[value]);
    }
    if (!node.op->is_selection || row_elements(graph, value) > kMostFollowed) continue;
    const ValueId operand = node.operands.front();
    const std::vector<double> from = origins(graph, value);
    for (std::size_t element = 0; element < from.size(); ++element) {
      tighten(limits[operand], row_elements(graph, operand), static_cast<std::size_t>(from[element]),
              limits[value][element]);
    }
  }
}

}  // namespace dlg
