// Owns what is said of gated products: where a derivative pays for a factor that may be infinite or NaN.
#pragma once

#include <string>

#include "ir/graph/graph.h"

namespace dlg {

/// Whether the node is a product that is masked because its seed is gated.
bool is_gated_product(const Graph& graph, ValueId value);

/// One comment line for each product of the graph that is masked because a `where` chose its seed, with what
/// that costs; empty where there is none. The nodes have names.
std::string gate_comments(const Graph& graph);

}  // namespace dlg
