// Owns the storage order of states and the loop order of groups: which axis lies innermost.
#pragma once

#include "passes/lower/group_trace.h"

namespace dlg {

using AxisOrder = std::vector<std::int64_t>;  // axes from outermost to innermost; empty: as written

/// For each state: the axis along which the innermost loop of the first contraction that reads it runs lies
/// innermost. An optimizer state follows the parameter whose path it extends.
IdVector<StateId, AxisOrder> choose_state_orders(const Graph& fused,
                                                 const IdVector<GroupId, GroupPlan>& groups,
                                                 const IdVector<GroupId, GroupTrace>& traces);

/// For each group: the order of a state of its shape that it writes, else that of a group that reads what it
/// stores element by element; as written where another order would compute something twice.
IdVector<GroupId, AxisOrder> choose_loop_orders(const Graph& fused, const Roles& roles,
                                                const IdVector<GroupId, GroupPlan>& groups,
                                                const IdVector<StateId, AxisOrder>& states);

}  // namespace dlg
