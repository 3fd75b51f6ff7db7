#include "passes/plan/storage_order.h"

#include <algorithm>

#include "ir/graph/state_values.h"
#include "ir/ops/registry.h"
#include "passes/lower/batch_innermost.h"

namespace dlg {
namespace {

/// Shorter loops are no vector loops: what they run along does not matter.
constexpr std::int64_t kLeastInnermost = 8;
/// Of the widest vectors. A loop that does not fill one is worth no other order where the written one ends in
/// a longer axis, along which the update runs.
constexpr std::int64_t kVectorBytes = 64;

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

/// The axis of the loaded value along which the group's loop over `axis` of its domain runs. Shorter loops
/// than vectors do not count where the written order ends in a longer axis.
std::optional<std::size_t> axis_of_loop(const Graph& fused, const GroupPlan& group, const GroupTrace& trace,
                                        const ElementLoad& load, std::size_t axis) {
  const TensorType& state = fused.type(load.value);
  const std::int64_t extent = domain_shape(fused, group)[axis];
  const std::int64_t written = state.shape.rank() == 0 ? 1 : state.shape[state.shape.rank() - 1];
  const bool fills_vector = extent >= kVectorBytes / dtype_bytes(state.dtype) || extent >= written;
  if (extent < kLeastInnermost || !fills_vector) return std::nullopt;
  const auto found = std::find(load.at.begin(), load.at.end(), trace.domain[axis]);
  if (found == load.at.end()) return std::nullopt;
  return static_cast<std::size_t>(found - load.at.begin());
}

/// The order in which a group of loops in `loops` wants the state. Empty: none.
AxisOrder order_of_state(const Graph& fused, const GroupPlan& group, const GroupTrace& trace,
                         const ElementLoad& load, const AxisOrder& loops) {
  const std::size_t rank = trace.domain.size();
  if (rank == 0) return {};
  const auto innermost = loops.empty() ? rank - 1 : static_cast<std::size_t>(loops.back());
  if (domain_shape(fused, group)[innermost] != kBatch || loops.empty()) {
    const auto axis = axis_of_loop(fused, group, trace, load, innermost);
    return axis ? with_innermost(load.at.size(), *axis) : AxisOrder{};
  }
  // Along the batch no state lies: the rows of a tile are read together.
  const auto axis = axis_of_loop(fused, group, trace, load, static_cast<std::size_t>(loops[rank - 2]));
  return axis ? windowed_order(load, trace, *axis) : AxisOrder{};
}

bool extends_path(const State& state, const State& parameter) {
  return state.kind == StateKind::kOptimizer && state.type.shape == parameter.type.shape &&
         state.path.starts_with(parameter.path + ".");
}

using StateOrders = IdVector<StateId, AxisOrder>;
using LoopOrders = IdVector<GroupId, AxisOrder>;

/// What is known before orders are chosen.
struct Groups {
  const Graph& fused;
  const Roles& roles;
  const IdVector<GroupId, GroupPlan>& plans;
  const IdVector<GroupId, GroupTrace>& traces;
  bool has_batch_innermost;
  LoopOrders innermost;  // of those whose vectors run along the batch
};

LoopOrders innermost_orders(const Graph& fused, const IdVector<GroupId, GroupPlan>& plans,
                            const IdVector<GroupId, GroupTrace>& traces) {
  LoopOrders orders(plans.size());
  for (const GroupId group : plans.ids()) {
    if (plans[group].stored.empty()) continue;
    orders[group] = batch_innermost_order(domain_shape(fused, plans[group]), traces[group]);
  }
  return orders;
}

StateOrders choose_state_orders(const Groups& groups) {
  const Graph& fused = groups.fused;
  StateOrders orders(fused.states.size());
  IdVector<ValueId, char> is_decided(fused.nodes.size(), 0);
  for (const GroupId group : groups.plans.ids()) {
    const GroupPlan& plan = groups.plans[group];
    const GroupTrace& trace = groups.traces[group];
    if (!has_nest(fused, plan)) continue;
    for (const ElementLoad& load : trace.loads) {
      if (fused[load.value].op != &ops::state || is_decided[load.value]) continue;
      const AxisOrder order = order_of_state(fused, plan, trace, load, groups.innermost[group]);
      if (order.empty()) continue;
      is_decided[load.value] = 1;
      orders[*fused.find_state(*leaf_path(fused[load.value]))] = order;
    }
  }
  for (const StateId parameter : fused.states.ids()) {
    for (const StateId state : fused.states.ids()) {
      if (extends_path(fused.states[state], fused.states[parameter])) orders[state] = orders[parameter];
    }
  }
  return orders;
}

/// What a group stores at each index of its domain.
std::vector<ValueId> stored_elements(const Graph& fused, const GroupPlan& group) {
  const Shape& domain = domain_shape(fused, group);
  std::vector<ValueId> elements;
  std::copy_if(group.stored.begin(), group.stored.end(), std::back_inserter(elements),
               [&](ValueId value) { return fused.type(value).shape == domain; });
  return elements;
}

/// Values that lie alike: each is read element by element where others of its class are stored.
class Alike {
 public:
  explicit Alike(const Groups& groups) : next_(groups.fused.nodes.ids()) {
    for (const GroupId group : groups.plans.ids()) {
      const std::vector<ValueId> stored = stored_elements(groups.fused, groups.plans[group]);
      for (const ValueId value : stored) join(value, stored.front());
      for (const ElementLoad& load : groups.traces[group].loads) {
        const bool is_leaf = groups.roles[load.value] == ValueRole::kLeaf;
        if (!is_leaf && load.at == groups.traces[group].domain) join(load.value, stored.front());
      }
    }
  }

  ValueId class_of(ValueId value) {
    while (next_[value.index] != value) {
      next_[value.index] = next_[next_[value.index].index];
      value = next_[value.index];
    }
    return value;
  }

 private:
  void join(ValueId a, ValueId b) { next_[class_of(a).index] = class_of(b); }

  std::vector<ValueId> next_;  // on the way to the value that names the class
};

bool is_along_batch(const Groups& groups, GroupId group, const AxisOrder& order) {
  return !order.empty() &&
         domain_shape(groups.fused, groups.plans[group])[static_cast<std::size_t>(order.back())] == kBatch;
}

/// What contractions with windows wish, whose vectors run along the batch.
struct WindowWishes {
  IdVector<ValueId, AxisOrder> read;   // of a value over which one slides
  IdVector<ValueId, AxisOrder> alike;  // of all values alike: of who reads one of them, else of who makes one
};

WindowWishes window_wishes(const Groups& groups) {
  const std::size_t size = groups.fused.nodes.size();
  WindowWishes wishes{IdVector<ValueId, AxisOrder>(size), IdVector<ValueId, AxisOrder>(size)};
  Alike alike(groups);
  IdVector<ValueId, AxisOrder> of_makers(size);
  for (std::uint32_t i = static_cast<std::uint32_t>(groups.plans.size()); i-- > 0;) {
    const GroupId group{i};
    const GroupTrace& trace = groups.traces[group];
    if (!is_along_batch(groups, group, groups.innermost[group])) continue;
    for (const ElementLoad& load : trace.loads) {
      const bool is_of_rows = load.at.size() > 1 && load.at[0] == trace.domain[0];
      if (!is_of_rows || !has_sliding_window(load, trace)) continue;
      AxisOrder& read = wishes.read[load.value];
      if (read.empty()) read = windowed_order(load, trace, 0);
      AxisOrder& order = wishes.alike[alike.class_of(load.value)];
      if (order.empty()) order = read;
      of_makers[alike.class_of(stored_elements(groups.fused, groups.plans[group]).front())] =
          groups.innermost[group];
    }
  }
  for (const ValueId value : groups.fused.nodes.ids()) {
    const ValueId known = alike.class_of(value);
    wishes.alike[value] = wishes.alike[known].empty() ? of_makers[known] : wishes.alike[known];
  }
  return wishes;
}

/// What is wished for a value: whoever slides a window over it, or over one like it, comes first.
struct Wishes {
  const WindowWishes& windows;
  IdVector<ValueId, AxisOrder> of_elements;

  const AxisOrder& of(ValueId value) const {
    return windows.alike[value].empty() ? of_elements[value] : windows.alike[value];
  }
};

/// The order that the states or readers of one group wish for.
AxisOrder wished_order(const Graph& fused, const GroupPlan& group, const StateOrders& states,
                       const Wishes& wishes) {
  for (const ValueId value : group.stored) {
    for (const Effect& effect : fused.effects) {
      if (effect.value == value && !states[effect.state].empty()) return states[effect.state];
    }
  }
  for (const ValueId value : stored_elements(fused, group)) {
    if (!wishes.of(value).empty()) return wishes.of(value);
  }
  return {};
}

/// Of a group with loops in `order`, for a value that it loads element by element.
void wish_for_elements(Wishes& wishes, const ElementLoad& load, const GroupTrace& trace,
                       const AxisOrder& order) {
  AxisOrder& known = wishes.of_elements[load.value];
  if (load.at == trace.domain && known.empty()) known = order;
}

/// The order with which fusion has asked whether the group is a kernel.
AxisOrder fused_order(const Groups& groups, const GroupPlan& plan) {
  return groups.has_batch_innermost && !plan.stored.empty()
             ? batch_innermost_order(domain_shape(groups.fused, plan))
             : AxisOrder{};
}

/// From the last reader to the first.
LoopOrders choose_loop_orders(const Groups& groups, const StateOrders& states, const WindowWishes& windows) {
  const Graph& fused = groups.fused;
  const auto is_inlined = [&](ValueId value) { return groups.roles[value] == ValueRole::kInlined; };
  LoopOrders orders(groups.plans.size());
  Wishes wishes{windows, IdVector<ValueId, AxisOrder>(fused.nodes.size())};
  for (std::uint32_t i = static_cast<std::uint32_t>(groups.plans.size()); i-- > 0;) {
    const GroupId group{i};
    GroupPlan plan = groups.plans[group];
    GroupTrace trace;
    const auto allows = [&](const AxisOrder& order) {
      plan.order = order;
      if (order.empty()) return false;
      trace = trace_group(fused, plan, is_inlined);
      return !refusal(fused, plan, trace);
    };
    if (!allows(wished_order(fused, plan, states, wishes)) && !allows(groups.innermost[group]) &&
        !allows(fused_order(groups, plan)))
      continue;
    orders[group] = plan.order;
    for (const ElementLoad& load : trace.loads) wish_for_elements(wishes, load, trace, plan.order);
  }
  return orders;
}

/// What a window slides over lies as that one wants it, what a kernel goes over several times as its loops
/// run, all else as the loops that store it.
IdVector<ValueId, AxisOrder> value_orders(const Groups& groups, const LoopOrders& loops,
                                          const WindowWishes& windows) {
  IdVector<ValueId, AxisOrder> orders(groups.fused.nodes.size());
  for (const GroupId group : groups.plans.ids()) {
    const GroupPlan& plan = groups.plans[group];
    const GroupTrace& trace = groups.traces[group];
    for (const ValueId value : stored_elements(groups.fused, plan)) {
      if (orders[value].empty()) orders[value] = loops[group];
    }
    if (!groups.has_batch_innermost || !goes_by_channels(groups.fused, plan)) continue;
    for (const ElementLoad& load : trace.loads) {
      if (load.at == trace.domain) orders[load.value] = loops[group];
    }
  }
  for (const ValueId value : groups.fused.nodes.ids()) {
    if (!windows.read[value].empty()) orders[value] = windows.read[value];
  }
  return orders;
}

}  // namespace

AxisOrders choose_orders(const Graph& fused, const Roles& roles, const IdVector<GroupId, GroupPlan>& plans,
                         const IdVector<GroupId, GroupTrace>& traces) {
  AxisOrders orders;
  orders.keep_batch_innermost = keeps_batch_innermost(fused);
  const Groups groups{
      fused,
      roles,
      plans,
      traces,
      orders.keep_batch_innermost,
      orders.keep_batch_innermost ? innermost_orders(fused, plans, traces) : LoopOrders(plans.size())};
  orders.states = choose_state_orders(groups);
  orders.inputs.resize(fused.nodes.size());
  const WindowWishes windows = window_wishes(groups);
  orders.loops = choose_loop_orders(groups, orders.states, windows);
  orders.values = value_orders(groups, orders.loops, windows);
  for (const ValueId value : fused.nodes.ids()) {
    if (fused[value].op == &ops::input) orders.inputs[value] = windows.read[value];
  }
  return orders;
}

}  // namespace dlg
