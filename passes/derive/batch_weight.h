// Owns what the loss of a batch counts beside those of others: its rows, or the sum of their weights.
#pragma once

#include "ir/graph/graph.h"
#include "ir/ops/expr.h"

namespace dlg {

/// What the loss of the graph's batch, and so its gradient, counts in a mean over several batches, as a
/// scalar of `dtype`: the output `weight`, else the valid rows.
Expr batch_weight(Builder& builder, DType dtype);

/// Adds the output `fault` to a graph with the output `weight`: kWeightFault where a mean is taken over rows
/// whose weights sum to `total` and that is not above 0, or where it is not finite. `is_due`: bool[], whether
/// the mean is taken in this step; invalid: it always is.
void add_weight_fault(Builder& builder, ValueId total, ValueId is_due = {});

}  // namespace dlg
