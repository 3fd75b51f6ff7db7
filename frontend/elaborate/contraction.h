// Owns `@`: numpy's rule on the axes of one sample, as one contraction of the graph.
#pragma once

#include "frontend/elaborate/tensors.h"

namespace dlg {

/// The last axis of `a` with the last but one of `b` (the only one of a vector); further leading axes align
/// from the right; the batch stays outermost. Errors: no axes, contracted axes that differ in size or name.
Value contraction(Elaboration& e, const Operand& a, const Operand& b, SourceRange range);

}  // namespace dlg
