#include "passes/fuse/fuse.h"

#include <algorithm>
#include <map>

#include "ir/graph/state_values.h"
#include "passes/fuse/group_order.h"
#include "passes/fuse/order_kernels.h"
#include "passes/lower/batch_innermost.h"
#include "passes/lower/group_trace.h"
#include "passes/lower/inlined_values.h"
#include "support/defects.h"

namespace dlg {
namespace {

using Groups = IdVector<GroupId, Group>;

/// Fewer rows are no vector.
constexpr std::int64_t kFewRows = 16;

/// Groups in the making: classes of computed nodes that are no inlined views.
class Fuser {
 public:
  Fuser(const Graph& graph, Fusion fusion);

  /// Joins each node with the groups of what it reads, in order: a producer's epilogue grows first.
  void join_chains();
  /// Joins groups of scalars that do not read each other.
  void join_scalars();

  /// The groups in no particular order, each inlined view in that of its first reader.
  Groups groups() const;

 private:
  /// Whether a value that is better computed by who reads it may go to who makes what it reads.
  enum class Patience { kWait, kNow };

  /// One walk over all readers and what they read; whether it joined any groups.
  bool join_once(Patience patience);
  bool should_wait(ValueId base, ValueId value) const;
  bool is_inlined(ValueId value) const { return is_inlined_[value] != 0; }
  bool may_join(std::size_t a, std::size_t b);
  bool may_be_one_kernel(std::size_t a, std::size_t b) const;
  GroupPlan joined(std::size_t a, std::size_t b) const;
  bool is_read_outside(ValueId value, std::size_t a, std::size_t b) const;
  bool writes_in_place(const GroupTrace& trace, const GroupPlan& plan) const;
  bool mixes_test_and_effects(const GroupPlan& plan) const;
  bool mixes_loops_and_updates(const GroupPlan& plan) const;
  bool has_lone_function(const GroupPlan& plan) const;
  bool mixes_chains_and_lanes(const GroupPlan& plan) const;
  bool may_be_layered(const GroupPlan& plan) const;
  void join(std::size_t a, std::size_t b);
  void find_updates();
  void find_pointwise();
  void find_functions();
  bool are_pointwise(const std::vector<ValueId>& members, const Shape& domain) const;
  bool is_scalar_group(std::size_t group) const;

  const Graph& graph_;
  Fusion fusion_;
  bool keeps_batch_innermost_ = false;
  std::vector<ValueId> tested_;
  IdVector<ValueId, std::vector<StateId>> effects_;  // the states that a value becomes
  IdVector<ValueId, char> is_inlined_;
  IdVector<ValueId, char> is_sink_;
  IdVector<ValueId, char> is_update_;     // element-wise, and read by nothing but effects
  IdVector<ValueId, char> is_pointwise_;  // reads all that is computed at its own index, and is no effect
  IdVector<ValueId, char> is_function_;   // takes exp, log, ... for each row of a batch
  Readers readers_;
  IdVector<ValueId, std::vector<ValueId>> bases_;  // the computed values that a value reads, through views
  Classes classes_;                                // leaves and views have classes of their own
  std::optional<GroupOrder> order_;
  /// Pairs that are no kernel together, with their sizes then: as long as neither grows, they are none.
  std::map<std::pair<std::size_t, std::size_t>, std::pair<std::size_t, std::size_t>> refused_;
};

Fuser::Fuser(const Graph& graph, Fusion fusion)
    : graph_(graph),
      fusion_(fusion),
      keeps_batch_innermost_(keeps_batch_innermost(graph)),
      tested_(tested_values(graph)),
      effects_(graph.nodes.size()),
      is_sink_(graph.nodes.size(), 0),
      is_update_(graph.nodes.size(), 0),
      is_pointwise_(graph.nodes.size(), 0),
      bases_(graph.nodes.size()),
      classes_{std::vector<std::size_t>(graph.nodes.size()),
               std::vector<std::vector<ValueId>>(graph.nodes.size())} {
  for (const Output& output : graph.outputs) is_sink_[output.value] = 1;
  for (const Effect& effect : graph.effects) {
    is_sink_[effect.value] = 1;
    effects_[effect.value].push_back(effect.state);
  }
  is_inlined_ = inlined_views(graph, [&](ValueId value) { return is_sink_[value] == 0; });
  const auto inlined = [this](ValueId value) { return is_inlined(value); };
  readers_ = readers_of(graph, inlined);
  order_.emplace(order_edges(graph, inlined), classes_);
  for (const ValueId value : graph.nodes.ids()) {
    classes_.of[value.index] = value.index;
    if (is<Leaf>(*graph[value].op) || is_inlined(value)) continue;
    classes_.members[value.index] = {value};
    for (const ValueId reader : readers_[value]) bases_[reader].push_back(value);
  }
  find_updates();
  find_pointwise();
  find_functions();
}

void Fuser::find_functions() {
  is_function_.resize(graph_.nodes.size(), 0);
  if (graph_.batch < kFewRows) return;
  for (const ValueId value : graph_.nodes.ids()) {
    if (graph_.type(value).shape == Shape{kBatch} && is_elementary(graph_, value)) is_function_[value] = 1;
  }
}

void Fuser::find_pointwise() {
  for (const ValueId value : graph_.nodes.ids()) {
    if (classes_.members[value.index].empty() || !is<Map>(*graph_[value].op)) continue;
    GroupPlan alone;
    alone.members = alone.stored = {value};
    const GroupTrace trace = trace_group(graph_, alone, [&](ValueId other) { return is_inlined(other); });
    const bool is_pointwise = std::all_of(trace.loads.begin(), trace.loads.end(), [&](const auto& load) {
      return is<Leaf>(*graph_[load.value].op) ||
             (load.at == trace.domain && graph_.type(load.value).shape == graph_.type(value).shape);
    });
    is_pointwise_[value] = is_pointwise ? 1 : 0;
  }
  // What writes a state has more to answer for: how it reads the old value.
  for (const Effect& effect : graph_.effects) is_pointwise_[effect.value] = 0;
}

bool Fuser::are_pointwise(const std::vector<ValueId>& members, const Shape& domain) const {
  return std::all_of(members.begin(), members.end(), [&](ValueId value) {
    return is_pointwise_[value] != 0 && graph_.type(value).shape == domain;
  });
}

/// Readers come after what they read.
void Fuser::find_updates() {
  for (const Effect& effect : graph_.effects) is_update_[effect.value] = 1;
  for (std::uint32_t index = static_cast<std::uint32_t>(graph_.nodes.size()); index-- > 0;) {
    const ValueId value{index};
    const auto& readers = readers_[value];
    const bool is_read_by_updates =
        !readers.empty() &&
        std::all_of(readers.begin(), readers.end(), [&](ValueId reader) { return is_update_[reader] != 0; });
    const bool is_update = is_update_[value] != 0 || (is_read_by_updates && is_sink_[value] == 0);
    is_update_[value] = is_update && is<Map>(*graph_[value].op) ? 1 : 0;
  }
}

bool Fuser::is_read_outside(ValueId value, std::size_t a, std::size_t b) const {
  return std::any_of(readers_[value].begin(), readers_[value].end(), [&](ValueId reader) {
    return classes_.of[reader.index] != a && classes_.of[reader.index] != b;
  });
}

GroupPlan Fuser::joined(std::size_t a, std::size_t b) const {
  GroupPlan plan;
  std::merge(classes_.members[a].begin(), classes_.members[a].end(), classes_.members[b].begin(),
             classes_.members[b].end(), std::back_inserter(plan.members));
  for (const ValueId value : plan.members) {
    if (is_sink_[value] || is_read_outside(value, a, b)) plan.stored.push_back(value);
  }
  if (keeps_batch_innermost_ && !plan.stored.empty())
    plan.order = batch_innermost_order(domain_shape(graph_, plan));
  return plan;
}

bool Fuser::writes_in_place(const GroupTrace& trace, const GroupPlan& plan) const {
  const auto is_written_behind_its_reads = [&](const std::string& path) {
    return std::all_of(trace.loads.begin(), trace.loads.end(), [&](const ElementLoad& load) {
      return !reads_state(graph_[load.value], path) || load.at == trace.domain;
    });
  };
  return std::all_of(plan.members.begin(), plan.members.end(), [&](ValueId value) {
    return std::all_of(effects_[value].begin(), effects_[value].end(),
                       [&](StateId state) { return is_written_behind_its_reads(graph_.states[state].path); });
  });
}

bool Fuser::mixes_test_and_effects(const GroupPlan& plan) const {
  const auto is_member = [&](ValueId value) {
    return std::binary_search(plan.members.begin(), plan.members.end(), value);
  };
  if (std::none_of(tested_.begin(), tested_.end(), is_member)) return false;
  return std::any_of(plan.members.begin(), plan.members.end(),
                     [&](ValueId value) { return !effects_[value].empty(); });
}

bool Fuser::mixes_loops_and_updates(const GroupPlan& plan) const {
  const auto& members = plan.members;
  return std::any_of(members.begin(), members.end(), [&](ValueId value) { return is_update_[value] != 0; }) &&
         std::any_of(members.begin(), members.end(),
                     [&](ValueId value) { return !is<Map>(*graph_[value].op); });
}

/// Whether a function of each row would be computed row by row, between loops over the elements of the row.
/// In a kernel of its own it is computed for the lanes of a vector at once.
bool Fuser::has_lone_function(const GroupPlan& plan) const {
  const Shape row{kBatch};
  const auto is_function = [&](ValueId value) { return is_function_[value] != 0; };
  const auto has_elements = [&](ValueId value) {
    return graph_.type(value).shape != row || !is<Map>(*graph_[value].op);
  };
  return std::any_of(plan.members.begin(), plan.members.end(), is_function) &&
         std::any_of(plan.members.begin(), plan.members.end(), has_elements);
}

/// Beside lanes, the chains of a contraction are not taken in tiles of rows: where vectors run along the
/// batch both are better off alone.
bool Fuser::mixes_chains_and_lanes(const GroupPlan& plan) const {
  const auto has = [&](const auto& is_so) {
    return std::any_of(plan.members.begin(), plan.members.end(),
                       [&](ValueId value) { return is_so(*graph_[value].op); });
  };
  return keeps_batch_innermost_ && has([](const OpDef& op) { return is<Nest>(op); }) &&
         has([](const OpDef& op) { return is<Reduce>(op); });
}

/// Statistics of a channel over the batch, and what is made of its elements with them: while the loops are at
/// one channel it lies in a near cache, and the kernel goes over it several times.
bool Fuser::may_be_layered(const GroupPlan& plan) const {
  // An update is written where nothing reads the old value any more: in a kernel of its own.
  return keeps_batch_innermost_ && goes_by_channels(graph_, plan) &&
         std::none_of(plan.members.begin(), plan.members.end(),
                      [&](ValueId value) { return !effects_[value].empty(); });
}

bool Fuser::may_join(std::size_t a, std::size_t b) {
  if (classes_.members[a].size() + classes_.members[b].size() > kMostMembers) return false;
  const std::pair sizes{classes_.members[a].size(), classes_.members[b].size()};
  const auto refused = refused_.find({a, b});
  if (refused != refused_.end() && refused->second == sizes) return false;
  if (!may_be_one_kernel(a, b)) {
    refused_[{a, b}] = sizes;
    return false;
  }
  return has_defect(Defect::kCyclicFusion) || order_->stays_acyclic(a, b);
}

/// Whether the values of both may be computed by one kernel; follows from the two groups alone.
bool Fuser::may_be_one_kernel(std::size_t a, std::size_t b) const {
  const GroupPlan plan = joined(a, b);
  if (plan.stored.empty()) return false;
  if (fusion_ == Fusion::kWithoutUpdates && mixes_loops_and_updates(plan)) return false;
  const Shape& domain = domain_shape(graph_, plan);
  const bool has_one_domain = std::all_of(plan.stored.begin(), plan.stored.end(),
                                          [&](ValueId value) { return graph_.type(value).shape == domain; });
  if ((!has_one_domain && !may_be_layered(plan)) || mixes_test_and_effects(plan) || has_lone_function(plan))
    return false;
  if (mixes_chains_and_lanes(plan)) return false;
  // All members are evaluated at the one index of the domain, each once: nothing can be refused.
  if (are_pointwise(plan.members, domain)) return true;
  const GroupTrace trace = trace_group(graph_, plan, [&](ValueId value) { return is_inlined(value); });
  if (is_layered(graph_, plan, trace) && !may_be_layered(plan)) return false;
  return !refusal(graph_, plan, trace) && writes_in_place(trace, plan);
}

void Fuser::join(std::size_t a, std::size_t b) {
  order_->join(a, b);
  classes_.members[a] = joined(a, b).members;
  classes_.members[b].clear();
  for (const ValueId value : classes_.members[a]) classes_.of[value.index] = a;
}

/// Joined now, both `base` and the group of `value` would be stored, and `base` must be anyway, because
/// somebody reads it who is no candidate for its epilogue: the readers of `value` can as well load `base`.
bool Fuser::should_wait(ValueId base, ValueId value) const {
  const std::size_t a = classes_.of[base.index];
  const std::size_t b = classes_.of[value.index];
  const auto is_outside = [&](ValueId reader) {
    return classes_.of[reader.index] != a && classes_.of[reader.index] != b;
  };
  const auto is_no_epilogue = [&](ValueId reader) {
    return is_outside(reader) &&
           (!is<Map>(*graph_[reader].op) || graph_.type(reader).shape != graph_.type(base).shape);
  };
  const auto& readers = readers_[base];
  const bool is_base_stored =
      is_sink_[base] != 0 || std::any_of(readers.begin(), readers.end(), is_no_epilogue);
  if (!is_base_stored) return false;
  return std::any_of(classes_.members[b].begin(), classes_.members[b].end(),
                     [&](ValueId member) { return is_sink_[member] == 0 && is_read_outside(member, a, b); });
}

bool Fuser::join_once(Patience patience) {
  bool has_joined = false;
  for (const ValueId value : graph_.nodes.ids()) {
    for (const ValueId base : bases_[value]) {
      const std::size_t a = classes_.of[base.index];
      const std::size_t b = classes_.of[value.index];
      if (a == b || (patience == Patience::kWait && should_wait(base, value)) || !may_join(a, b)) continue;
      join(a, b);
      has_joined = true;
    }
  }
  return has_joined;
}

void Fuser::join_chains() {
  // What two groups could not share while a third one stood between them they may share when it is joined.
  for (const Patience patience : {Patience::kWait, Patience::kNow}) {
    while (join_once(patience)) {
    }
  }
}

bool Fuser::is_scalar_group(std::size_t group) const {
  return !classes_.members[group].empty() &&
         std::all_of(classes_.members[group].begin(), classes_.members[group].end(), [&](ValueId value) {
           return graph_.type(value).shape.rank() == 0 && is<Map>(*graph_[value].op);
         });
}

void Fuser::join_scalars() {
  std::optional<std::size_t> first;
  for (std::size_t group = 0; group < classes_.members.size(); ++group) {
    if (!is_scalar_group(group)) continue;
    if (first && may_join(*first, group)) {
      join(*first, group);
    } else {
      first = group;
    }
  }
}

Groups Fuser::groups() const {
  std::vector<std::vector<ValueId>> all = classes_.members;
  for (const ValueId value : graph_.nodes.ids()) {
    if (is_inlined(value)) all[classes_.of[readers_[value].front().index]].push_back(value);
  }
  Groups groups;
  for (std::size_t group = 0; group < all.size(); ++group) {
    if (all[group].empty()) continue;
    std::sort(all[group].begin(), all[group].end());
    groups.add({graph_.name(classes_.members[group].back()), std::move(all[group])});
  }
  return groups;
}

Groups single_groups(const Graph& graph) {
  Groups groups;
  for (const ValueId value : graph.nodes.ids()) {
    if (!is<Leaf>(*graph[value].op)) groups.add({graph.name(value), {value}});
  }
  return groups;
}

Groups fused_groups(const Graph& graph, Fusion fusion) {
  Fuser fuser(graph, fusion);
  fuser.join_chains();
  fuser.join_scalars();
  return fuser.groups();
}

}  // namespace

Graph fuse(const Graph& graph, Fusion fusion) {
  Graph fused = graph;
  name_nodes(fused);
  fused.groups = fusion == Fusion::kOff ? single_groups(fused) : fused_groups(fused, fusion);
  return order_kernels(fused);
}

}  // namespace dlg
