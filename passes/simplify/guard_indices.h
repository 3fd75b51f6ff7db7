// Owns the guard of indices that are not proved.
#pragma once

#include "ir/graph/graph.h"

namespace dlg {

/// Puts a `guard` before every index that may lie outside (ir/ops/ranges.h), so that no kernel reads or
/// writes outside of its table, and adds the output `fault`: 1 where a guarded index of a valid row lies
/// outside, else 0. Where every index is proved the graph stays as it is.
Graph guard_indices(const Graph& graph);

}  // namespace dlg
