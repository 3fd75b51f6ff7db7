// Owns the answer to one question: is a parameter updated by the kernel that computes its gradient, and if
// not, why not?
#pragma once

#include <string>

#include "ir/graph/graph.h"

namespace dlg {

/// "fused with its gradient in `W1.new`", or "not fused: `dW1` is stored, it is an output". A parameter is
/// not fused if any part of its gradient is stored.
std::string update_report(const Graph& fused, const Effect& effect);

/// The report of every trained parameter as a comment of the textual IR, "; net.W1: fused ...", a line each.
/// Empty for a graph without kernels.
std::string update_comments(const Graph& fused);

}  // namespace dlg
