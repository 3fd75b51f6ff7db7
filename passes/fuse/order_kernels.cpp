#include "passes/fuse/order_kernels.h"

#include <algorithm>
#include <numeric>

#include "passes/fuse/order_edges.h"
#include "passes/lower/group_trace.h"
#include "support/check.h"

namespace dlg {
namespace {

/// The edges between groups. Inlined views are in no group here: they go where their readers go.
struct Quotient {
  IdVector<ValueId, GroupId> group_of;  // invalid: a leaf or an inlined view
  Edges data;
  Edges order;  // data and what else must come before
};

Quotient quotient_of(const Graph& fused, const Roles& roles) {
  Quotient quotient;
  quotient.group_of = roles.group_of;
  const auto is_inlined = [&](ValueId value) { return roles[value] == ValueRole::kInlined; };
  // Leaves and views have no edges: the group they are given here does not matter.
  std::vector<std::size_t> group_index(fused.nodes.size(), 0);
  for (const ValueId value : fused.nodes.ids()) {
    if (is_inlined(value)) quotient.group_of[value] = {};
    if (quotient.group_of[value].is_valid()) group_index[value.index] = quotient.group_of[value].index;
  }
  quotient.data = class_edges(data_edges(fused, is_inlined), group_index, fused.groups.size());
  quotient.order = class_edges(order_edges(fused, is_inlined), group_index, fused.groups.size());
  return quotient;
}

/// What decides between groups that may both come next: the smaller one first.
struct Wish {
  bool is_after_test = false;
  ValueId first_node;  // of the group or of any that needs it

  friend auto operator<=>(const Wish&, const Wish&) = default;
};

/// What the stop test looks at comes first, with all that it needs, then what the text has first. A weight
/// gradient with its update so follows at once the backward step that makes it, and frees what only it still
/// reads.
std::vector<Wish> wishes(const Graph& fused, const Quotient& quotient) {
  const Reachability reachability(quotient.data);
  std::vector<GroupId> tested;
  for (const ValueId value : tested_values(fused)) {
    if (quotient.group_of[value].is_valid()) tested.push_back(quotient.group_of[value]);
  }
  std::vector<ValueId> first_nodes;
  for (const Group& group : fused.groups) {
    first_nodes.push_back(*std::min_element(group.nodes.begin(), group.nodes.end()));
  }
  std::vector<Wish> wishes;
  for (std::size_t group = 0; group < first_nodes.size(); ++group) {
    const bool is_before_test = std::any_of(
        tested.begin(), tested.end(), [&](GroupId test) { return reachability.reaches(group, test.index); });
    Wish wish{!is_before_test, first_nodes[group]};
    for (std::size_t later = 0; later < first_nodes.size(); ++later) {
      if (reachability.reaches(group, later)) wish.first_node = std::min(wish.first_node, first_nodes[later]);
    }
    wishes.push_back(wish);
  }
  return wishes;
}

/// The groups in the order of their wishes.
std::vector<std::size_t> sorted_by(const std::vector<Wish>& wishes) {
  std::vector<std::size_t> order(wishes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return wishes[a] < wishes[b]; });
  return order;
}

std::optional<std::vector<std::size_t>> order_by_wish(const Edges& edges,
                                                      const std::vector<std::size_t>& wish) {
  std::vector<std::size_t> place(wish.size());
  for (std::size_t i = 0; i < wish.size(); ++i) place[wish[i]] = i;
  Edges renumbered{edges.count, {}};
  for (const auto& [from, to] : edges.edges) renumbered.edges.emplace_back(place[from], place[to]);
  std::optional<std::vector<std::size_t>> order = topological_order(renumbered);
  if (!order) return std::nullopt;
  for (std::size_t& vertex : *order) vertex = wish[vertex];
  return order;
}

/// Moves every inlined view into the first group, in the new order, that reads it, directly or through views.
void place_views(Graph& graph, const Roles& roles) {
  IdVector<ValueId, GroupId> home(graph.nodes.size());
  for (const GroupId group : graph.groups.ids()) {
    std::vector<ValueId>& nodes = graph.groups[group].nodes;
    std::erase_if(nodes, [&](ValueId value) { return roles[value] == ValueRole::kInlined; });
    for (const ValueId value : nodes) home[value] = group;
  }
  for (std::uint32_t i = static_cast<std::uint32_t>(graph.nodes.size()); i-- > 0;) {
    const GroupId reader = home[ValueId{i}];
    for (const ValueId operand : graph.nodes[ValueId{i}].operands) {
      if (roles[operand] != ValueRole::kInlined) continue;
      if (!home[operand].is_valid() || reader < home[operand]) home[operand] = reader;
    }
  }
  for (const ValueId value : graph.nodes.ids()) {
    if (roles[value] == ValueRole::kInlined) graph.groups[home[value]].nodes.push_back(value);
  }
  for (Group& group : graph.groups) std::sort(group.nodes.begin(), group.nodes.end());
}

}  // namespace

Graph order_kernels(const Graph& fused) {
  const Roles roles = roles_of(fused);
  const Quotient quotient = quotient_of(fused, roles);
  const std::vector<std::size_t> wish = sorted_by(wishes(fused, quotient));
  std::optional<std::vector<std::size_t>> order = order_by_wish(quotient.order, wish);
  // Where a state cannot be written in place by this grouping, its old readers bind nobody: it is copied.
  if (!order) order = order_by_wish(quotient.data, wish);
  DLG_CHECK(order.has_value(), "the groups are cyclic");
  Graph scheduled = fused;
  scheduled.groups = {};
  for (const std::size_t group : *order) {
    scheduled.groups.add(fused.groups[GroupId{static_cast<std::uint32_t>(group)}]);
  }
  place_views(scheduled, roles);
  return scheduled;
}

}  // namespace dlg
