// Owns the order of kernels: the loss first, then little live memory, weights written after their last read.
#pragma once

#include "ir/graph/graph.h"

namespace dlg {

/// Before: a fused graph. After: the same kernels in another legal order, stored in that order.
Graph schedule(const Graph& fused);

}  // namespace dlg
