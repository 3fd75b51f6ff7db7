// Owns fusion: which nodes are computed in one kernel.
#pragma once

#include "ir/graph/graph.h"

namespace dlg {

enum class Fusion {
  kOff,             // each node on its own
  kWithoutUpdates,  // what the optimizer does to a gradient stays out of the kernel that computes it
  kOn,
};

/// Before: a simplified graph. After: every computed node is in one group; groups are acyclic and stored in
/// schedule order. Element-wise chains go into the producer's epilogue, else the consumer's prologue, else
/// one loop. With kOff each node is a group of its own. An element is computed once: a value needed at two
/// different indices, or in a loop that its index does not depend on, is stored. Only views (broadcast,
/// transpose, slice, cast), which compute nothing, are done by each reader; such a view stands in the group
/// of its first reader.
Graph fuse(const Graph& graph, Fusion fusion);

}  // namespace dlg
