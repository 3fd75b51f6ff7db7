#include "passes/plan/update_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/graph/state_values.h"
#include "passes/fuse/order_edges.h"
#include "passes/lower/group_trace.h"

namespace dlg {
namespace {

/// Everything the answer is looked up in.
struct UpdateFacts {
  const Graph& fused;
  Roles roles;
  IdVector<GroupId, GroupPlan> groups;
  Readers readers;

  bool is_inlined(ValueId value) const { return roles[value] == ValueRole::kInlined; }
};

UpdateFacts facts_of(const Graph& fused) {
  const Roles roles = roles_of(fused);
  const auto is_inlined = [&](ValueId value) { return roles[value] == ValueRole::kInlined; };
  return {fused, roles, group_plans(fused, roles), readers_of(fused, is_inlined)};
}

bool has_loops(const Graph& fused, ValueId value) {
  return is<Nest>(*fused[value].op) || is<Reduce>(*fused[value].op);
}

bool is_output(const Graph& fused, ValueId value) {
  return std::any_of(fused.outputs.begin(), fused.outputs.end(),
                     [&](const Output& output) { return output.value == value; });
}

/// The value of the parameter's shape that the updating kernel loads instead of computing it; one that has
/// loops of its own, as gradients do, before all others.
ValueId loaded_gradient(const UpdateFacts& facts, GroupId group, const Shape& shape) {
  ValueId found;
  for (const ValueId value : facts.fused.nodes.ids()) {
    if (facts.roles[value] != ValueRole::kStored || facts.roles.group_of[value] == group) continue;
    const bool is_read = std::any_of(facts.readers[value].begin(), facts.readers[value].end(),
                                     [&](ValueId reader) { return facts.roles.group_of[reader] == group; });
    if (!is_read || facts.fused.type(value).shape != shape) continue;
    if (!found.is_valid() || has_loops(facts.fused, value)) found = value;
  }
  return found;
}

/// Whether the data flow allows kernel `other` to become part of `group`.
bool can_be_one(const UpdateFacts& facts, GroupId group, GroupId other) {
  const std::size_t values = facts.fused.nodes.size();
  std::vector<std::size_t> classes(values);
  for (const ValueId value : facts.fused.nodes.ids()) {
    const GroupId own = facts.roles.group_of[value];
    const bool is_apart = !own.is_valid() || facts.is_inlined(value);
    classes[value.index] = is_apart ? value.index : values + (own == other ? group : own).index;
  }
  const auto is_inlined = [&](ValueId value) { return facts.is_inlined(value); };
  return quotient_is_acyclic(order_edges(facts.fused, is_inlined), classes);
}

/// Whether a kernel of this trace reads the state at other elements than those it is about to write.
bool reads_elsewhere(const Graph& fused, const GroupTrace& trace, const std::string& path) {
  return std::any_of(trace.loads.begin(), trace.loads.end(), [&](const ElementLoad& load) {
    return reads_state(fused[load.value], path) && load.at != trace.domain;
  });
}

/// What speaks against computing `value` in the kernel that updates the state at `path`.
std::string reason(const UpdateFacts& facts, ValueId value, GroupId group, const std::string& path) {
  const GroupId own = facts.roles.group_of[value];
  for (const ValueId reader : facts.readers[value]) {
    const GroupId other = facts.roles.group_of[reader];
    if (other != group && other != own) {
      return fmt::format("kernel `{}` reads it too", facts.fused.groups[other].name);
    }
  }
  GroupPlan joined = facts.groups[group];
  const std::vector<ValueId>& more = facts.groups[own].members;
  joined.members.insert(joined.members.end(), more.begin(), more.end());
  std::sort(joined.members.begin(), joined.members.end());
  const GroupTrace trace =
      trace_group(facts.fused, joined, [&](ValueId other) { return facts.is_inlined(other); });
  if (const auto refused = refusal(facts.fused, joined, trace)) return "in one kernel " + *refused;
  if (is_output(facts.fused, value)) return "it is an output";
  if (reads_elsewhere(facts.fused, trace, path)) return "its kernel needs all of the parameter as it was";
  return can_be_one(facts, group, own) ? "the update was to stay apart"
                                       : "another kernel stands between them";
}

}  // namespace

std::string update_report(const Graph& fused, const Effect& effect) {
  if (reads_state(fused[effect.value], fused.states[effect.state].path)) return "keeps its value";
  if (is<Leaf>(*fused[effect.value].op)) return fmt::format("a copy of `{}`", fused.name(effect.value));
  const UpdateFacts facts = facts_of(fused);
  const GroupId group = facts.roles.group_of[effect.value];
  const Shape& shape = fused.type(effect.value).shape;
  const std::vector<ValueId>& members = facts.groups[group].members;
  const bool is_fused = std::any_of(members.begin(), members.end(), [&](ValueId value) {
    return has_loops(fused, value) && fused.type(value).shape == shape;
  });
  const ValueId gradient = loaded_gradient(facts, group, shape);
  if (is_fused && gradient.is_valid() && has_loops(fused, gradient)) {
    return fmt::format("not fused: `{}` is stored, one of several contributions to its gradient",
                       fused.name(gradient));
  }
  if (is_fused) return fmt::format("fused with its gradient in `{}`", fused.groups[group].name);
  if (!gradient.is_valid()) return "element by element";
  return fmt::format("not fused: `{}` is stored, {}", fused.name(gradient),
                     reason(facts, gradient, group, fused.states[effect.state].path));
}

std::string update_comments(const Graph& fused) {
  std::string text;
  if (fused.groups.size() == 0) return text;
  for (const Effect& effect : fused.effects) {
    const State& state = fused.states[effect.state];
    if (state.kind != StateKind::kParameter) continue;
    text += fmt::format("; {}: {}\n", state.path, update_report(fused, effect));
  }
  return text;
}

}  // namespace dlg
