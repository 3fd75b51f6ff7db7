// Owns the proof of a memory plan. It shares no code with the planner: readers are found by walking operands,
// overlaps by comparing all pairs.
#include <fmt/format.h>

#include <algorithm>

#include "ir/graph/state_values.h"
#include "passes/group_trace.h"
#include "passes/plan.h"

namespace dlg {
namespace {

using Broken = std::optional<std::string>;
using Kind = Placement::Kind;

/// What the proof knows of the graph.
struct Facts {
  const Graph& fused;
  const Plan& plan;
  Roles roles;
  std::vector<std::vector<ValueId>> reads;  // by group: stored values and leaves that it needs
};

/// Walks from the operands of each node of a group through views to what is stored or a leaf.
std::vector<ValueId> reads_of(const Graph& fused, const Roles& roles, GroupId group) {
  std::vector<ValueId> reads;
  std::vector<ValueId> open;
  for (const ValueId value : fused.groups[group].nodes) {
    if (roles[value] == ValueRole::kInlined) continue;
    open.insert(open.end(), fused[value].operands.begin(), fused[value].operands.end());
  }
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    if (roles[value] == ValueRole::kInlined) {
      open.insert(open.end(), fused[value].operands.begin(), fused[value].operands.end());
    } else if (roles[value] == ValueRole::kLeaf || roles.group_of[value] != group) {
      reads.push_back(value);
    }
  }
  return reads;
}

bool reads(const Facts& facts, std::size_t group, ValueId value) {
  const auto& all = facts.reads[group];
  return std::find(all.begin(), all.end(), value) != all.end();
}

std::string placement_text(const Facts& facts, const Placement& placement) {
  return fmt::format("`{}` at {} + {}", facts.fused.name(placement.value), placement.offset, placement.bytes);
}

std::int64_t block_bytes(const Plan& plan, Kind kind) {
  if (kind == Kind::kArena) return plan.arena_bytes;
  return kind == Kind::kState ? plan.state_bytes : plan.output_bytes;
}

bool is_permutation_of_axes(const std::vector<std::int64_t>& order, std::size_t rank) {
  if (order.empty()) return true;
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t axis = 0; axis < sorted.size(); ++axis) {
    if (sorted[axis] != static_cast<std::int64_t>(axis)) return false;
  }
  return sorted.size() == rank;
}

Broken check_places(const Facts& facts) {
  for (const Placement& placement : facts.plan.placements) {
    const TensorType& type = facts.fused.type(placement.value);
    const std::string text = placement_text(facts, placement);
    if (placement.offset < 0 || placement.offset % kPlanAlignment != 0) return text + " is not aligned";
    if (placement.bytes != type.shape.elements(facts.fused.batch) * dtype_bytes(type.dtype)) {
      return fmt::format("{} has the wrong size for {}", text, type_text(type));
    }
    if (placement.offset + placement.bytes > block_bytes(facts.plan, placement.kind)) {
      return text + " ends outside its block";
    }
    if (!is_permutation_of_axes(placement.order, type.shape.rank())) return text + " has no storage order";
  }
  return std::nullopt;
}

/// Two half-open spans of bytes.
bool overlap(std::int64_t a, std::int64_t a_bytes, std::int64_t b, std::int64_t b_bytes) {
  return a < b + b_bytes && b < a + a_bytes;
}

Broken check_states(const Facts& facts) {
  const auto& states = facts.plan.states;
  if (states.size() != facts.fused.states.size()) return "a state has no place";
  for (const StateId a : states.ids()) {
    const State& state = facts.fused.states[a];
    const bool is_sound = states[a].offset >= 0 && states[a].offset % kPlanAlignment == 0 &&
                          states[a].bytes == state.type.shape.elements() * dtype_bytes(state.type.dtype) &&
                          states[a].offset + states[a].bytes <= facts.plan.state_bytes &&
                          is_permutation_of_axes(states[a].order, state.type.shape.rank());
    if (!is_sound) return fmt::format("the state `{}` has no sound place", state.path);
    for (std::uint32_t b = 0; b < a.index; ++b) {
      const StatePlacement& other = states[StateId{b}];
      if (!overlap(states[a].offset, states[a].bytes, other.offset, other.bytes)) continue;
      return fmt::format("the states `{}` and `{}` overlap", state.path, facts.fused.states[StateId{b}].path);
    }
  }
  return std::nullopt;
}

/// From where the placement is written to where it is last needed, found without the plan's own lifetimes.
struct Needed {
  std::size_t first = 0;
  std::size_t last = 0;
};

Needed needed(const Facts& facts, std::size_t placement) {
  const ValueId value = facts.plan.placements[placement].value;
  const bool is_leaf = facts.roles[value] == ValueRole::kLeaf;
  Needed span;
  span.first = is_leaf ? 0 : facts.roles.group_of[value].index;
  span.last = span.first;
  for (std::size_t group = 0; group < facts.reads.size(); ++group) {
    if (!is_leaf && reads(facts, group, value)) span.last = std::max(span.last, group);
  }
  for (const StateCopy& copy : facts.plan.copies) {
    if (copy.placement == placement) span.last = facts.reads.size();
  }
  return span;
}

Broken check_overlaps(const Facts& facts) {
  const std::vector<Placement>& all = facts.plan.placements;
  std::vector<Needed> spans;
  for (std::size_t i = 0; i < all.size(); ++i) spans.push_back(needed(facts, i));
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (all[i].kind != all[j].kind || all[i].kind == Kind::kState) continue;
      const bool is_lasting = all[i].kind == Kind::kOutput;
      const bool meet = spans[i].first <= spans[j].last && spans[j].first <= spans[i].last;
      if (!is_lasting && !meet) continue;
      if (!overlap(all[i].offset, all[i].bytes, all[j].offset, all[j].bytes)) continue;
      return fmt::format("{} and {} overlap while both live", placement_text(facts, all[j]),
                         placement_text(facts, all[i]));
    }
  }
  return std::nullopt;
}

bool has_placement(const Facts& facts, ValueId value, const std::function<bool(const Placement&)>& is_right) {
  return std::any_of(facts.plan.placements.begin(), facts.plan.placements.end(),
                     [&](const Placement& place) { return place.value == value && is_right(place); });
}

Broken check_reads(const Facts& facts) {
  for (std::size_t group = 0; group < facts.reads.size(); ++group) {
    for (const ValueId value : facts.reads[group]) {
      if (facts.roles[value] == ValueRole::kLeaf) continue;
      const std::string& name = facts.fused.name(value);
      if (!has_placement(facts, value, [](const Placement&) { return true; })) {
        return fmt::format("`{}` is read and not stored", name);
      }
      if (facts.roles.group_of[value].index >= group)
        return fmt::format("`{}` is read before it is stored", name);
    }
  }
  return std::nullopt;
}

Broken check_outputs(const Facts& facts) {
  for (const Output& output : facts.fused.outputs) {
    const bool is_stored = has_placement(facts, output.value, [&](const Placement& place) {
      return place.kind == Kind::kOutput && place.output == output.name;
    });
    if (!is_stored) return fmt::format("the output `{}` is not stored", output.name);
  }
  return std::nullopt;
}

bool is_copied(const Facts& facts, const Effect& effect) {
  return std::any_of(facts.plan.copies.begin(), facts.plan.copies.end(), [&](const StateCopy& copy) {
    if (copy.state != effect.state || copy.placement >= facts.plan.placements.size()) return false;
    const Placement& from = facts.plan.placements[copy.placement];
    return from.value == effect.value && from.kind == Kind::kArena &&
           from.order == facts.plan.states[effect.state].order;
  });
}

Broken check_in_place(const Facts& facts, const Effect& effect, const Placement& placement) {
  const std::string& path = facts.fused.states[effect.state].path;
  const StatePlacement& state = facts.plan.states[effect.state];
  if (placement.offset != state.offset || placement.order != state.order) {
    return fmt::format("`{}` is written to another place than its own", path);
  }
  if (facts.roles[effect.value] == ValueRole::kLeaf)
    return fmt::format("`{}` is written before all groups", path);
  const GroupId writer = facts.roles.group_of[effect.value];
  const std::vector<ValueId> tested = tested_values(facts.fused);
  const bool is_early = std::any_of(tested.begin(), tested.end(), [&](ValueId value) {
    return facts.roles.group_of[value].is_valid() && writer <= facts.roles.group_of[value];
  });
  if (is_early) return fmt::format("`{}` is written before the stop test", path);
  const ValueId old = find_state_value(facts.fused, path);
  if (!old.is_valid()) return std::nullopt;
  for (std::size_t group = writer.index + 1; group < facts.reads.size(); ++group) {
    if (reads(facts, group, old)) return fmt::format("`{}` is read after it is written", path);
  }
  const IdVector<GroupId, GroupPlan> groups = group_plans(facts.fused, facts.roles);
  const GroupTrace trace = trace_group(
      facts.fused, groups[writer], [&](ValueId value) { return facts.roles[value] == ValueRole::kInlined; });
  if (!trace.reads_only_in_place(old))
    return fmt::format("`{}` is read where it may be written already", path);
  return std::nullopt;
}

Broken check_effects(const Facts& facts) {
  for (const Effect& effect : facts.fused.effects) {
    const auto found =
        std::find_if(facts.plan.placements.begin(), facts.plan.placements.end(), [&](const Placement& place) {
          return place.kind == Kind::kState && place.value == effect.value && place.state == effect.state;
        });
    const bool is_in_place = found != facts.plan.placements.end();
    const bool is_kept = effect.value == find_state_value(facts.fused, facts.fused.states[effect.state].path);
    if (is_kept && !is_in_place && !is_copied(facts, effect)) continue;
    if (is_in_place == is_copied(facts, effect)) {
      return fmt::format("`{}` does not get its new value once", facts.fused.states[effect.state].path);
    }
    if (!is_in_place) continue;
    if (Broken broken = check_in_place(facts, effect, *found)) return broken;
  }
  return std::nullopt;
}

/// No state is written that the graph does not write.
Broken check_writes(const Facts& facts) {
  const auto is_effect = [&](StateId state, ValueId value) {
    return std::any_of(facts.fused.effects.begin(), facts.fused.effects.end(),
                       [&](const Effect& effect) { return effect.state == state && effect.value == value; });
  };
  for (const Placement& placement : facts.plan.placements) {
    if (placement.kind != Kind::kState || is_effect(placement.state, placement.value)) continue;
    return placement_text(facts, placement) + " is written into a state that it is no effect of";
  }
  return std::nullopt;
}

Broken check_stop_test(const Facts& facts) {
  std::size_t expected = 0;
  for (const ValueId value : tested_values(facts.fused)) {
    const GroupId group = facts.roles.group_of[value];
    if (group.is_valid()) expected = std::max<std::size_t>(expected, group.index + 1);
  }
  if (facts.plan.groups_before_stop_test == expected) return std::nullopt;
  return "the stop test does not follow what it looks at";
}

constexpr Broken (*kChecks[])(const Facts&) = {check_places,  check_states,  check_overlaps, check_reads,
                                               check_outputs, check_effects, check_writes,   check_stop_test};

}  // namespace

std::optional<std::string> check_plan(const Graph& fused, const Plan& plan) {
  Facts facts{fused, plan, roles_of(fused), {}};
  for (const GroupId group : fused.groups.ids()) facts.reads.push_back(reads_of(fused, facts.roles, group));
  for (const auto check : kChecks) {
    if (Broken broken = check(facts)) return broken;
  }
  return std::nullopt;
}

}  // namespace dlg
