#include "passes/lower/group_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "ir/graph/text_cursor.h"
#include "passes/lower/batch_innermost.h"
#include "passes/lower/inlined_values.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

bool contains(const std::vector<ValueId>& sorted, ValueId value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

IdVector<ValueId, char> marked_sinks(const Graph& graph) {
  IdVector<ValueId, char> is_sink(graph.nodes.size(), 0);
  for (const Output& output : graph.outputs) is_sink[output.value] = 1;
  for (const Effect& effect : graph.effects) is_sink[effect.value] = 1;
  return is_sink;
}

bool is_alone(const Graph& fused, GroupId group) {
  return fused.groups[group].nodes.size() == 1;
}

}  // namespace

Roles roles_of(const Graph& fused) {
  Roles roles;
  roles.of.resize(fused.nodes.size(), ValueRole::kInternal);
  roles.group_of.resize(fused.nodes.size());
  for (const GroupId group : fused.groups.ids()) {
    for (const ValueId value : fused.groups[group].nodes) roles.group_of[value] = group;
  }
  const IdVector<ValueId, char> is_sink = marked_sinks(fused);
  const auto is_stored = [&](ValueId value) {
    return is_sink[value] && !(has_defect(Defect::kWrongRole) && !users_of(fused)[value].empty());
  };
  const IdVector<ValueId, char> is_done_on_the_spot = inlined_views(fused, [&](ValueId value) {
    const bool is_computed = !is<Leaf>(*fused[value].op);
    return is_computed && !is_stored(value) && !is_alone(fused, roles.group_of[value]);
  });
  for (const ValueId value : fused.nodes.ids()) {
    if (is<Leaf>(*fused[value].op)) {
      roles.of[value] = ValueRole::kLeaf;
    } else if (is_stored(value)) {
      roles.of[value] = ValueRole::kStored;
    } else if (is_done_on_the_spot[value] != 0) {
      roles.of[value] = ValueRole::kInlined;
    }
  }
  const auto mark_read = [&](ValueId value, GroupId reader) {
    const bool is_elsewhere = roles.of[value] == ValueRole::kInternal && roles.group_of[value] != reader;
    if (is_elsewhere && !has_defect(Defect::kUnstoredValue)) roles.of[value] = ValueRole::kStored;
  };
  // A view's operands are read by all groups that inline it: readers are found through chains of views.
  IdVector<ValueId, std::vector<GroupId>> readers(fused.nodes.size());
  for (std::uint32_t i = static_cast<std::uint32_t>(fused.nodes.size()); i-- > 0;) {
    const ValueId value{i};
    // All who read it come behind it, so the list is whole.
    std::sort(readers[value].begin(), readers[value].end());
    readers[value].erase(std::unique(readers[value].begin(), readers[value].end()), readers[value].end());
    for (const GroupId reader : readers[value]) mark_read(value, reader);
    if (roles.of[value] == ValueRole::kLeaf) continue;
    const bool is_inlined = roles.of[value] == ValueRole::kInlined;
    const std::vector<GroupId> by = is_inlined ? readers[value] : std::vector{roles.group_of[value]};
    for (const ValueId operand : fused[value].operands) {
      readers[operand].insert(readers[operand].end(), by.begin(), by.end());
    }
  }
  return roles;
}

bool has_nest(const Graph& graph, const GroupPlan& group) {
  return std::any_of(group.members.begin(), group.members.end(),
                     [&](ValueId value) { return is<Nest>(*graph[value].op); });
}

bool GroupTrace::reads(ValueId value) const {
  return std::any_of(loads.begin(), loads.end(), [&](const auto& load) { return load.value == value; });
}

bool GroupTrace::reads_only_in_place(ValueId value) const {
  return std::all_of(loads.begin(), loads.end(),
                     [&](const ElementLoad& load) { return load.value != value || load.at == domain; });
}

const Shape& domain_shape(const Graph& graph, const GroupPlan& group) {
  const auto rank = [&](ValueId value) { return graph.type(value).shape.rank(); };
  const ValueId widest = *std::max_element(group.stored.begin(), group.stored.end(),
                                           [&](ValueId a, ValueId b) { return rank(a) < rank(b); });
  return graph.type(widest).shape;
}

namespace {

/// Where a value of fewer axes than the domain is computed: at its own index, or at that of another of its
/// shape.
std::optional<Indices> outer_place(const Graph& graph, const ElementLowering& lowering, ValueId value) {
  const Shape& shape = graph.type(value).shape;
  const Evaluation* like = nullptr;
  for (const Evaluation& evaluation : lowering.evaluations()) {
    if (evaluation.is_in_reduction) continue;  // its loops are closed
    if (evaluation.value == value) return evaluation.at;
    if (like == nullptr && graph.type(evaluation.value).shape == shape) like = &evaluation;
  }
  return like != nullptr ? std::optional(like->at) : std::nullopt;
}

}  // namespace

void lower_stored(const Graph& graph, KernelBuilder& builder, ElementLowering& lowering,
                  const GroupPlan& group, const StoreElement& store) {
  struct Made {
    ValueId value;
    Indices at;
    loop::RegId element;
  };
  const Shape& domain = domain_shape(graph, group);
  domain_nest(builder, domain, group.order, [&](const Indices& at) {
    std::vector<Made> made;
    for (const ValueId value : group.stored) {
      if (graph.type(value).shape == domain) made.push_back({value, at, lowering.element(value, at)});
    }
    for (const ValueId value : group.stored) {
      if (graph.type(value).shape == domain) continue;
      const std::optional<Indices> place = outer_place(graph, lowering, value);
      if (place) made.push_back({value, *place, lowering.element(value, *place)});
    }
    for (const Made& one : made) {
      builder.run_in(builder.frame_of(one.at), [&] { store(one.value, one.at, one.element); });
    }
  });
}

GroupTrace trace_group(const Graph& graph, const GroupPlan& group,
                       const std::function<bool(ValueId)>& is_inlined) {
  KernelBuilder builder;
  const auto is_computed = [&](ValueId value) { return contains(group.members, value) || is_inlined(value); };
  ElementLowering lowering(graph, builder, is_computed, load_without_memory(graph));
  GroupTrace trace;
  if (group.stored.empty()) return trace;
  const Shape& domain = domain_shape(graph, group);
  lower_stored(graph, builder, lowering, group, [&](ValueId value, const Indices& at, loop::RegId) {
    if (graph.type(value).shape == domain) {
      trace.domain = at;
    } else {
      trace.outer.push_back({value, at});
    }
  });
  trace.evaluations = lowering.evaluations();
  trace.loads = lowering.loads();
  trace.body = builder.finish().body;
  return trace;
}

namespace {

using Refusal = std::optional<std::string>;

Refusal refuse_size(const GroupPlan& group) {
  if (group.stored.empty()) return "it stores nothing";
  if (group.members.size() > kMostMembers) return "it is too large";
  return std::nullopt;
}

/// Whether an index of fewer axes goes with loops of the domain: each of its own, over the whole axis.
bool is_outer_index(const Graph& graph, const GroupPlan& group, const GroupTrace& trace,
                    const ElementLoad& outer) {
  const Shape& domain = domain_shape(graph, group);
  const Shape& shape = graph.type(outer.value).shape;
  std::vector<char> is_taken(domain.rank(), 0);
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    const auto found = std::find(trace.domain.begin(), trace.domain.end(), outer.at[axis]);
    const auto at = static_cast<std::size_t>(found - trace.domain.begin());
    if (found == trace.domain.end() || domain[at] != shape[axis] || is_taken[at] != 0) return false;
    is_taken[at] = 1;
  }
  return true;
}

Refusal refuse_outer(const Graph& graph, const GroupPlan& group, const GroupTrace& trace) {
  const Shape& domain = domain_shape(graph, group);
  for (const ValueId value : group.stored) {
    if (graph.type(value).shape == domain) continue;
    const auto place = std::find_if(trace.outer.begin(), trace.outer.end(),
                                    [&](const ElementLoad& outer) { return outer.value == value; });
    if (place != trace.outer.end() && !has_nest(graph, group) && is_outer_index(graph, group, trace, *place))
      continue;
    const auto widest = std::find_if(group.stored.begin(), group.stored.end(),
                                     [&](ValueId other) { return graph.type(other).shape == domain; });
    return fmt::format("it stores `{}` of shape {} beside `{}` of shape {}", graph.name(value),
                       shape_text(graph.type(value).shape), graph.name(*widest), shape_text(domain));
  }
  return std::nullopt;
}

/// Whether an element is a few instructions: done again sooner than stored and loaded.
bool is_cheap(const Graph& graph, ValueId value) {
  return is<Map>(*graph[value].op) && !is_elementary(graph, value);
}

Refusal refuse_evaluation(const Graph& graph, const Evaluation& evaluation) {
  const std::string& name = graph.name(evaluation.value);
  if (evaluation.is_repeated) return fmt::format("it would compute `{}` again and again", name);
  const bool has_dynamic = std::any_of(evaluation.at.begin(), evaluation.at.end(),
                                       [](const loop::Index& index) { return index.dynamic.is_valid(); });
  if (has_dynamic) return fmt::format("it would compute `{}` at an index that is not known", name);
  const bool has_loops = !is<Map>(*graph[evaluation.value].op);
  if (has_loops && evaluation.is_in_reduction) return fmt::format("`{}` would be inside a reduction", name);
  return std::nullopt;
}

}  // namespace

Refusal refusal(const Graph& graph, const GroupPlan& group, const GroupTrace& trace) {
  if (Refusal refused = refuse_size(group)) return refused;
  IdVector<ValueId, char> is_seen(graph.nodes.size(), 0);
  int nests = 0;
  for (const Evaluation& evaluation : trace.evaluations) {
    const bool is_own = contains(group.members, evaluation.value);
    if (!is_own) continue;
    if (Refusal refused = refuse_evaluation(graph, evaluation)) return refused;
    if (is_seen[evaluation.value] && !is_cheap(graph, evaluation.value)) {
      return fmt::format("it needs `{}` at two indices", graph.name(evaluation.value));
    }
    is_seen[evaluation.value] = 1;
    nests += is<Nest>(*graph[evaluation.value].op) ? 1 : 0;
  }
  if (nests > 1) return "it has two contractions";
  return refuse_outer(graph, group, trace);
}

bool is_layered(const Graph& graph, const GroupPlan& group, const GroupTrace& trace) {
  if (!trace.outer.empty()) return true;
  IdVector<ValueId, char> is_seen(graph.nodes.size(), 0);
  return std::any_of(trace.evaluations.begin(), trace.evaluations.end(), [&](const Evaluation& evaluation) {
    const bool is_own = contains(group.members, evaluation.value);
    return is_own && std::exchange(is_seen[evaluation.value], 1) != 0;
  });
}

IdVector<GroupId, GroupPlan> group_plans(const Graph& fused, const Roles& roles) {
  IdVector<GroupId, GroupPlan> plans;
  for (const Group& group : fused.groups) {
    GroupPlan plan;
    std::copy_if(group.nodes.begin(), group.nodes.end(), std::back_inserter(plan.members),
                 [&](ValueId value) { return roles[value] != ValueRole::kInlined; });
    std::sort(plan.members.begin(), plan.members.end());
    for (const ValueId value : plan.members) {
      if (roles[value] == ValueRole::kStored) plan.stored.push_back(value);
    }
    plans.add(std::move(plan));
  }
  return plans;
}

std::optional<BrokenLaw> find_bad_kernel(const Graph& fused) {
  const Roles roles = roles_of(fused);
  const IdVector<GroupId, GroupPlan> groups = group_plans(fused, roles);
  const auto is_inlined = [&](ValueId value) { return roles[value] == ValueRole::kInlined; };
  const bool has_batch_innermost = keeps_batch_innermost(fused);
  for (const GroupId group : groups.ids()) {
    const std::string& name = fused.groups[group].name;
    Refusal refused = refuse_size(groups[group]);
    if (!refused) {
      GroupPlan ordered = groups[group];
      if (has_batch_innermost) ordered.order = batch_innermost_order(domain_shape(fused, ordered));
      refused = refusal(fused, ordered, trace_group(fused, ordered, is_inlined));
    }
    if (!refused) continue;
    return BrokenLaw{fmt::format("`{}` is no kernel: {}", name, *refused), "kernel " + quoted_name(name)};
  }
  return std::nullopt;
}

}  // namespace dlg
