// Owns that inputs are read as they lie in the data.
#pragma once

#include "ir/graph/graph.h"

namespace dlg {

/// Reads inputs in the types in which they lie in the data (Input::stored), casts and scales them. The same
/// values.
Graph read_stored(const Graph& graph);

}  // namespace dlg
