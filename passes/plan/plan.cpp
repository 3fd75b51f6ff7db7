#include "passes/plan/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/graph/state_values.h"
#include "passes/lower/batch_innermost.h"
#include "passes/plan/arena.h"
#include "passes/plan/storage_order.h"
#include "support/arithmetic.h"
#include "support/defects.h"

namespace dlg {
namespace {

std::int64_t type_bytes(const TensorType& type, std::int64_t batch) {
  return multiply_sizes(type.shape.elements(batch), dtype_bytes(type.dtype));
}

/// Makes one plan, step by step.
class Planner {
 public:
  explicit Planner(const Graph& fused);
  Plan run();

 private:
  void order_axes();
  void place_states();
  void place_inputs();
  void place_outputs();
  void place_effects();
  void place_arena_values();
  void place_turned();
  void turn(GroupId reader, const ElementLoad& load);
  void find_lifetimes();
  void pack_arena();

  std::optional<std::string> refuse_in_place(const Effect& effect) const;
  Placement& add(ValueId value, Placement::Kind kind);
  bool has_placement(ValueId value) const { return is_placed_[value] != 0; }
  bool is_computed(ValueId value) const { return plan_.roles[value] != ValueRole::kLeaf; }

  const Graph& fused_;
  IdVector<GroupId, GroupTrace> traces_;
  IdVector<ValueId, char> is_placed_;
  IdVector<ValueId, AxisOrder> input_orders_;
  IdVector<ValueId, AxisOrder> value_orders_;
  bool keep_batch_innermost_ = false;
  Plan plan_;
};

Planner::Planner(const Graph& fused) : fused_(fused), is_placed_(fused.nodes.size(), 0) {
  plan_.roles = roles_of(fused);
  plan_.groups = group_plans(fused, plan_.roles);
  for (const GroupId group : plan_.groups.ids()) {
    traces_.add(trace_group(fused, plan_.groups[group], [&](ValueId value) {
      return plan_.roles[value] == ValueRole::kInlined && !has_defect(Defect::kHiddenReads);
    }));
  }
  for (const ValueId tested : tested_values(fused)) {
    if (!is_computed(tested)) continue;
    const std::size_t behind = plan_.roles.group_of[tested].index + 1;
    plan_.groups_before_stop_test = std::max(plan_.groups_before_stop_test, behind);
  }
}

Plan Planner::run() {
  order_axes();
  place_states();
  place_inputs();
  place_outputs();
  place_effects();
  place_arena_values();
  place_turned();
  find_lifetimes();
  pack_arena();
  if (has_defect(Defect::kLostCopy)) plan_.copies.clear();
  return std::move(plan_);
}

void Planner::order_axes() {
  AxisOrders orders = choose_orders(fused_, plan_.roles, plan_.groups, traces_);
  plan_.loop_orders = std::move(orders.loops);
  input_orders_ = std::move(orders.inputs);
  value_orders_ = std::move(orders.values);
  keep_batch_innermost_ = orders.keep_batch_innermost;
  for (const StateId state : fused_.states.ids()) plan_.states.add({0, 0, orders.states[state]});
}

void Planner::place_states() {
  for (const StateId state : fused_.states.ids()) {
    StatePlacement& place = plan_.states[state];
    place.bytes = type_bytes(fused_.states[state].type, 1);
    place.offset = plan_.state_bytes;
    plan_.state_bytes = add_sizes(plan_.state_bytes, rounded_up(place.bytes, kPlanAlignment));
  }
}

Placement& Planner::add(ValueId value, Placement::Kind kind) {
  Placement placement;
  placement.value = value;
  placement.kind = kind;
  placement.bytes = type_bytes(fused_.type(value), fused_.batch);
  if (is_computed(value)) placement.first_group = plan_.roles.group_of[value].index;
  is_placed_[value] = 1;
  plan_.placements.push_back(std::move(placement));
  return plan_.placements.back();
}

/// What windows slide over is copied once a step into the order in which they do.
void Planner::place_inputs() {
  for (const ValueId value : fused_.nodes.ids()) {
    if (input_orders_[value].empty()) continue;
    plan_.input_copies.push_back(plan_.placements.size());
    add(value, Placement::Kind::kArena).order = input_orders_[value];
  }
}

void Planner::place_outputs() {
  for (const Output& output : fused_.outputs) {
    Placement& placement = add(output.value, Placement::Kind::kOutput);
    placement.output = output.name;
    placement.offset = plan_.output_bytes;
    plan_.output_bytes = add_sizes(plan_.output_bytes, rounded_up(placement.bytes, kPlanAlignment));
  }
}

/// Why the state cannot be written by the group that computes its new value.
std::optional<std::string> Planner::refuse_in_place(const Effect& effect) const {
  if (!is_computed(effect.value)) return "its new value is not computed";
  const std::size_t writer = plan_.roles.group_of[effect.value].index;
  if (writer < plan_.groups_before_stop_test) return "the stop test comes later";
  const ValueId old = find_state_value(fused_, fused_.states[effect.state].path);
  if (!old.is_valid() || has_defect(Defect::kEarlyUpdate)) return std::nullopt;
  for (std::size_t later = writer + 1; later < plan_.groups.size(); ++later) {
    const GroupId group{static_cast<std::uint32_t>(later)};
    if (traces_[group].reads(old))
      return fmt::format("`{}` reads the old value later", fused_.groups[group].name);
  }
  const GroupTrace& trace = traces_[plan_.roles.group_of[effect.value]];
  if (!trace.reads_only_in_place(old)) return "its own kernel reads the old value at other indices";
  // What is read before the first kernel is read before every write.
  return std::nullopt;
}

void Planner::place_effects() {
  for (const Effect& effect : fused_.effects) {
    // A state that is written with its own old value keeps it.
    if (effect.value == find_state_value(fused_, fused_.states[effect.state].path)) continue;
    const std::optional<std::string> refused = refuse_in_place(effect);
    Placement& placement = add(effect.value, refused ? Placement::Kind::kArena : Placement::Kind::kState);
    placement.order = plan_.states[effect.state].order;
    if (refused) {
      plan_.copies.push_back({effect.state, plan_.placements.size() - 1, *refused});
    } else {
      placement.state = effect.state;
      placement.offset = plan_.states[effect.state].offset;
    }
  }
}

void Planner::place_arena_values() {
  for (const GroupId group : plan_.groups.ids()) {
    for (const ValueId value : plan_.groups[group].stored) {
      if (has_placement(value)) continue;
      add(value, Placement::Kind::kArena).order = value_orders_[value];
    }
  }
}

/// The chains of a weight gradient run along the batch, and its vectors along another axis. In a nest of more
/// loops than a tile has, a copy that the kernel makes for its panels would be made again and again.
void Planner::place_turned() {
  if (!keep_batch_innermost_) return;
  for (const GroupId reader : plan_.groups.ids()) {
    if (!has_nest(fused_, plan_.groups[reader]) || traces_[reader].domain.size() < 3) continue;
    for (const ElementLoad& load : traces_[reader].loads) turn(reader, load);
  }
}

void Planner::turn(GroupId reader, const ElementLoad& load) {
  const auto place = std::find_if(plan_.placements.begin(), plan_.placements.end(),
                                  [&](const Placement& placement) { return placement.value == load.value; });
  if (!is_computed(load.value) || place->kind != Placement::Kind::kArena || place->order.empty()) return;
  const AxisOrder& loops = plan_.loop_orders[reader];
  const Indices& domain = traces_[reader].domain;
  const auto innermost = loops.empty() ? domain.size() - 1 : static_cast<std::size_t>(loops.back());
  // Rows of lanes are side by side, and their lanes run along the batch.
  if (domain_shape(fused_, plan_.groups[reader])[innermost] < kLeastVectorExtent) return;
  const auto found = std::find(load.at.begin(), load.at.end(), domain[innermost]);
  const auto axis = static_cast<std::int64_t>(found - load.at.begin());
  if (domain[innermost].terms.empty() || found == load.at.end() || place->order.back() == axis) return;
  AxisOrder order = place->order;
  std::erase(order, axis);
  order.push_back(axis);
  const GroupId storer = plan_.roles.group_of[load.value];
  const bool has_kernel = goes_by_channels(fused_, plan_.groups[storer]);
  plan_.turned.push_back({reader, plan_.placements.size(), has_kernel});
  add(load.value, Placement::Kind::kArena).order = std::move(order);
}

void Planner::find_lifetimes() {
  IdVector<ValueId, std::size_t> last_read(fused_.nodes.size(), 0);
  for (const GroupId group : plan_.groups.ids()) {
    for (const ElementLoad& load : traces_[group].loads) last_read[load.value] = group.index;
  }
  for (Placement& placement : plan_.placements) {
    placement.last_group = std::max(placement.first_group, last_read[placement.value]);
  }
  for (const TurnedCopy& turned : plan_.turned) {
    Placement& copy = plan_.placements[turned.placement];
    copy.last_group = turned.reader.index;
    if (!turned.has_kernel) continue;
    copy.first_group = turned.reader.index;
    for (Placement& original : plan_.placements) {
      if (original.value == copy.value && &original != &copy)
        original.last_group = std::max(original.last_group, copy.first_group);
    }
  }
  for (const StateCopy& copy : plan_.copies)
    plan_.placements[copy.placement].last_group = plan_.groups.size();
}

void Planner::pack_arena() {
  std::vector<Lifetime> lifetimes;
  std::vector<std::size_t> owners;
  for (std::size_t i = 0; i < plan_.placements.size(); ++i) {
    const Placement& placement = plan_.placements[i];
    if (placement.kind != Placement::Kind::kArena) continue;
    lifetimes.push_back({placement.bytes, placement.first_group, placement.last_group});
    owners.push_back(i);
  }
  const ArenaPlacement arena = place_lifetimes(lifetimes, kPlanAlignment);
  for (std::size_t i = 0; i < owners.size(); ++i) plan_.placements[owners[i]].offset = arena.offsets[i];
  plan_.arena_bytes = arena.bytes;
  plan_.lower_bound_bytes = most_live_bytes(lifetimes);
}

}  // namespace

Plan plan_memory(const Graph& fused) {
  return Planner(fused).run();
}

}  // namespace dlg
