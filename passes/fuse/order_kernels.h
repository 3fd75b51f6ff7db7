// Owns the order of kernels: the loss first, weights written after their last read.
#pragma once

#include "ir/graph/graph.h"

namespace dlg {

/// Before: a fused graph, groups in any order. After: the same groups in an order in which every value is
/// computed before it is read: first those that the loss needs, then the rest as the text has them, but where
/// the data flow allows it no kernel writes a state before the loss is known and its old value was last read.
/// An inlined view stands in its first reader.
Graph order_kernels(const Graph& fused);

}  // namespace dlg
