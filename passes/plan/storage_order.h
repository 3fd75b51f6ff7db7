// Owns the storage order of states and the loop order of groups: which axis lies innermost.
#pragma once

#include "passes/lower/group_trace.h"

namespace dlg {

/// Orders of all states, of the loops of all groups, of the inputs over which windows slide, and of values.
struct AxisOrders {
  IdVector<StateId, AxisOrder> states;
  IdVector<GroupId, AxisOrder> loops;
  IdVector<ValueId, AxisOrder> inputs;
  IdVector<ValueId, AxisOrder> values;  // of what the arena holds
  bool keep_batch_innermost = false;
};

/// States: the axis along which the innermost loop of the first contraction that reads it runs lies
/// innermost, where vectors run along the batch that of the loop around. An optimizer state follows the
/// parameter whose path it extends. Loops: the order of a state of its shape that the group writes, else that
/// of a group that reads what it stores, else the batch innermost where that is the layout of the program
/// (passes/lower/batch_innermost.h); as written where another order would compute something twice. Inputs:
/// that of whoever slides a window over one, where the batch lies innermost; empty: it is read from where the
/// data lie.
AxisOrders choose_orders(const Graph& fused, const Roles& roles, const IdVector<GroupId, GroupPlan>& plans,
                         const IdVector<GroupId, GroupTrace>& traces);

}  // namespace dlg
