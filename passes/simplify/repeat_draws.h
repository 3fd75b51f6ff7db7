// Owns that random numbers are drawn again wherever they are read, and never stored.
#pragma once

#include "ir/graph/graph.h"

namespace dlg {

/// What is made of draws and leaves alone (a mask, noise) gives every reader the same numbers, so each gets a
/// copy of its own: fusion draws it where it is read, forward and backward. The same values.
Graph repeat_draws(const Graph& graph);

}  // namespace dlg
