#include "passes/simplify/guard_indices.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "ir/graph/rewriter.h"
#include "ir/ops/expr.h"
#include "ir/ops/ranges.h"
#include "ir/ops/registry.h"
#include "support/defects.h"

namespace dlg {
namespace {

/// A guarded index in the new graph.
struct Guarded {
  ValueId index;
  ValueId guard;
};

/// kIndexFault where any index lies outside.
Expr outside_of(Builder& builder, const Guarded& guarded) {
  const Expr index{&builder, guarded.index};
  const TensorType flags{DType::kF32, index.shape()};
  const Expr is_outside = compare("!=", index, {&builder, guarded.guard});
  const double raised = has_defect(Defect::kLostFault) ? 0 : kIndexFault;
  const Expr flag = select(is_outside, constant(builder, raised, flags), constant(builder, 0, flags));
  std::vector<std::int64_t> axes(index.shape().rank());
  std::iota(axes.begin(), axes.end(), 0);
  return axes.empty() ? flag : reduce_max(flag, axes);
}

/// A fault that the graph has already stays one.
void add_fault(Graph& graph, const std::vector<Guarded>& all) {
  Builder builder(graph);
  const auto output = std::find_if(graph.outputs.begin(), graph.outputs.end(),
                                   [](const Output& o) { return o.name == kFaultOutput; });
  std::optional<Expr> fault;
  if (output != graph.outputs.end()) fault = Expr{&builder, output->value};
  for (const Guarded& guarded : all) {
    const std::vector<SourceRange>& origins = graph.infos[guarded.guard].origins;
    builder.current_origin = origins.empty() ? SourceRange{} : origins.front();
    const Expr outside = outside_of(builder, guarded);
    fault = fault ? max(*fault, outside) : outside;
  }
  builder.set_name(fault->value, std::string(kFaultOutput));
  if (output != graph.outputs.end()) {
    output->value = fault->value;
  } else {
    graph.outputs.push_back({std::string(kFaultOutput), fault->value});
  }
}

}  // namespace

Graph guard_indices(const Graph& graph) {
  std::vector<Guarded> all;
  Graph guarded = Rewriter(graph).run([&](Builder& builder, const Node& node, const NodeInfo&) {
    const Graph& target = builder.graph();
    if (!node.op->index) return ValueId{};
    const ValueId index = node.operands[node.op->index->operand];
    const std::int64_t extent = node.op->index->extent(target, node);
    const bool is_proved = range_of(target, index).is_inside(extent);
    if (is_proved || has_defect(Defect::kLostGuard)) return ValueId{};
    Node changed = node;
    const ValueId guard = builder.add(ops::guard, {index}, IndexLimit{extent});
    changed.operands[node.op->index->operand] = guard;
    const bool is_known =
        std::any_of(all.begin(), all.end(), [&](const Guarded& g) { return g.guard == guard; });
    if (!is_known) all.push_back({index, guard});
    return builder.add(*node.op, changed.operands, node.attributes, node.type);
  });
  if (!all.empty()) add_fault(guarded, all);
  return guarded;
}

}  // namespace dlg
