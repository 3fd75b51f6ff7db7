// Owns fusion: which nodes are computed in one kernel.
#pragma once

#include "ir/graph/graph.h"

namespace dlg {

enum class Fusion { kOff, kOn };

/// Before: a simplified graph. After: every computed node is in one group; groups are acyclic and stored in
/// schedule order. Element-wise chains go into the producer's epilogue, else the consumer's prologue, else
/// one loop. With kOff each node is a group of its own. An op's cost in a kernel is recomputed never: a value
/// needed at two different indices is stored.
Graph fuse(const Graph& graph, Fusion fusion);

}  // namespace dlg
