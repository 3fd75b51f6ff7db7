// Owns what is known of a kernel before there is one: which values are stored, and what a group would
// evaluate and load, found by lowering it without memory.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/graph/verify.h"
#include "passes/lower/element_lowering.h"

namespace dlg {

enum class ValueRole : std::uint8_t {
  kLeaf,      // no operands: read from where it lives, or made on the spot
  kInternal,  // computed, read by its own group only
  kInlined,   // a view, a quick difference or mark: done by every group that reads it
  kStored,    // an output, an effect, or read by another group
};

/// Says for every value where its readers get it from. Follows from the groups alone: a view that has company
/// in its group and is neither output nor effect is inlined; a view alone in its group is stored.
struct Roles {
  IdVector<ValueId, ValueRole> of;
  IdVector<ValueId, GroupId> group_of;  // invalid for leaves

  ValueRole operator[](ValueId value) const { return of[value]; }
};

Roles roles_of(const Graph& fused);

using AxisOrder = std::vector<std::int64_t>;  // axes from outermost to innermost; empty: as written

/// A group with the values that it stores, in order.
struct GroupPlan {
  std::vector<ValueId> members;  // ascending, without inlined views
  std::vector<ValueId> stored;
  AxisOrder order = {};  // of the axes of its domain
};

/// Over what the loops of a group run: the shape of most axes that it stores.
const Shape& domain_shape(const Graph& graph, const GroupPlan& group);

/// Whether a contraction or another nest of loops is among its members.
bool has_nest(const Graph& graph, const GroupPlan& group);

/// What lowering a group does.
struct GroupTrace {
  Indices domain;                  // the index at which the stored values are computed
  std::vector<ElementLoad> outer;  // what is stored of fewer axes, and where
  std::vector<Evaluation> evaluations;
  std::vector<ElementLoad> loads;
  loop::Body body;  // the loops, without what is stored

  /// Whether every reading of `value` is at the index that is being stored.
  bool reads_only_in_place(ValueId value) const;
  bool reads(ValueId value) const;
};

/// Takes one element of a value that a group stores.
using StoreElement = std::function<void(ValueId, const Indices&, loop::RegId)>;

/// Lowers the loops of a group: everything is computed before anything is stored. What has fewer axes than
/// the domain, as the statistics of a channel beside its elements, is stored in the loop in which it is
/// computed.
void lower_stored(const Graph& graph, KernelBuilder& builder, ElementLowering& lowering,
                  const GroupPlan& group, const StoreElement& store);

/// Lowers a group without memory. `is_inlined` tells which values outside the group are done on the spot.
GroupTrace trace_group(const Graph& graph, const GroupPlan& group,
                       const std::function<bool(ValueId)>& is_inlined);

/// The largest group: it bounds the size of a compiled function and the depth of the lowering.
inline constexpr std::size_t kMostMembers = 64;

/// Whether a group computes some element-wise value at two indices, or stores one of fewer axes than others.
bool is_layered(const Graph& graph, const GroupPlan& group, const GroupTrace& trace);

/// Why a group must not be one kernel: stored values of different shapes, but for what all elements of a loop
/// share; work done twice, but for some instructions of an element; a reduction inside another, two nests.
/// nullopt: it may.
std::optional<std::string> refusal(const Graph& graph, const GroupPlan& group, const GroupTrace& trace);

/// A kernel of a graph read from text that cannot be lowered: it stores nothing, or what `refusal` says. The
/// graph is well-formed at `Stage::kFused`. nullopt: all can.
std::optional<BrokenLaw> find_bad_kernel(const Graph& fused);

/// The groups of a fused graph with what they store, in order.
IdVector<GroupId, GroupPlan> group_plans(const Graph& fused, const Roles& roles);

}  // namespace dlg
