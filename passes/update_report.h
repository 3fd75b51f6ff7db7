// Owns the answer to one question: is a parameter updated by the kernel that computes its gradient, and if
// not, why not?
#pragma once

#include <string>

#include "ir/graph/graph.h"

namespace dlg {

/// "fused with its gradient in `W1.new`", or "not fused: `dW1` is stored, it is an output".
std::string update_report(const Graph& fused, const Effect& effect);

}  // namespace dlg
