#include "passes/plan/storage_order.h"

#include <algorithm>

#include "ir/graph/state_values.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// Shorter loops are no vector loops: what they run along does not matter.
constexpr std::int64_t kLeastInnermost = 8;
/// Of the widest vectors. A loop that does not fill one is worth no other order where the written one ends in
/// a longer axis, along which the update runs.
constexpr std::int64_t kVectorBytes = 64;

bool has_nest(const Graph& fused, const GroupPlan& group) {
  return std::any_of(group.members.begin(), group.members.end(),
                     [&](ValueId value) { return is<Nest>(*fused[value].op); });
}

/// All axes as written, but `innermost` last. Empty if that is as written.
AxisOrder with_innermost(std::size_t rank, std::size_t innermost) {
  if (innermost + 1 == rank) return {};
  AxisOrder order;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    if (axis != innermost) order.push_back(static_cast<std::int64_t>(axis));
  }
  order.push_back(static_cast<std::int64_t>(innermost));
  return order;
}

/// The axis of the loaded value along which the group's innermost loop runs.
std::optional<std::size_t> axis_of_innermost_loop(const Graph& fused, const GroupPlan& group,
                                                  const GroupTrace& trace, const ElementLoad& load) {
  const Shape& domain = fused.type(group.stored.front()).shape;
  if (domain.rank() == 0) return std::nullopt;
  const TensorType& state = fused.type(load.value);
  const std::int64_t extent = domain[domain.rank() - 1];
  const std::int64_t written = state.shape.rank() == 0 ? 1 : state.shape[state.shape.rank() - 1];
  const bool fills_vector = extent >= kVectorBytes / dtype_bytes(state.dtype) || extent >= written;
  if (extent < kLeastInnermost || !fills_vector) return std::nullopt;
  const auto found = std::find(load.at.begin(), load.at.end(), trace.domain.back());
  if (found == load.at.end()) return std::nullopt;
  return static_cast<std::size_t>(found - load.at.begin());
}

bool extends_path(const State& state, const State& parameter) {
  return state.kind == StateKind::kOptimizer && state.type.shape == parameter.type.shape &&
         state.path.starts_with(parameter.path + ".");
}

}  // namespace

IdVector<StateId, AxisOrder> choose_state_orders(const Graph& fused,
                                                 const IdVector<GroupId, GroupPlan>& groups,
                                                 const IdVector<GroupId, GroupTrace>& traces) {
  IdVector<StateId, AxisOrder> orders(fused.states.size());
  IdVector<ValueId, char> is_decided(fused.nodes.size(), 0);
  for (const GroupId group : groups.ids()) {
    if (!has_nest(fused, groups[group])) continue;
    for (const ElementLoad& load : traces[group].loads) {
      if (fused[load.value].op != &ops::state || is_decided[load.value]) continue;
      const StateId state = *fused.find_state(*leaf_path(fused[load.value]));
      const auto axis = axis_of_innermost_loop(fused, groups[group], traces[group], load);
      if (!axis) continue;
      is_decided[load.value] = 1;
      orders[state] = with_innermost(load.at.size(), *axis);
    }
  }
  for (const StateId parameter : fused.states.ids()) {
    for (const StateId state : fused.states.ids()) {
      if (extends_path(fused.states[state], fused.states[parameter])) orders[state] = orders[parameter];
    }
  }
  return orders;
}

namespace {

/// The order that the states or readers of one group wish for.
AxisOrder wished_order(const Graph& fused, const GroupPlan& group, const IdVector<StateId, AxisOrder>& states,
                       const IdVector<ValueId, AxisOrder>& wishes) {
  for (const ValueId value : group.stored) {
    for (const Effect& effect : fused.effects) {
      if (effect.value == value && !states[effect.state].empty()) return states[effect.state];
    }
  }
  for (const ValueId value : group.stored) {
    if (!wishes[value].empty()) return wishes[value];
  }
  return {};
}

}  // namespace

IdVector<GroupId, AxisOrder> choose_loop_orders(const Graph& fused, const Roles& roles,
                                                const IdVector<GroupId, GroupPlan>& groups,
                                                const IdVector<StateId, AxisOrder>& states) {
  const auto is_inlined = [&](ValueId value) { return roles[value] == ValueRole::kInlined; };
  IdVector<GroupId, AxisOrder> orders(groups.size());
  IdVector<ValueId, AxisOrder> wishes(fused.nodes.size());
  for (std::uint32_t i = static_cast<std::uint32_t>(groups.size()); i-- > 0;) {
    const GroupId group{i};
    GroupPlan plan = groups[group];
    plan.order = wished_order(fused, plan, states, wishes);
    if (plan.order.empty()) continue;
    const GroupTrace trace = trace_group(fused, plan, is_inlined);
    if (refusal(fused, plan, trace)) continue;
    orders[group] = plan.order;
    for (const ElementLoad& load : trace.loads) {
      if (load.at == trace.domain && wishes[load.value].empty()) wishes[load.value] = plan.order;
    }
  }
  return orders;
}

}  // namespace dlg
