// Owns the software pipelining of a straight step: what follows from the number of the step alone is
// computed one step ahead.
#pragma once

#include <llvm/IR/Function.h>

namespace dlg {

/// In each innermost loop of `function`, pure instructions that depend on one counter and on nothing else
/// that changes - rates of a schedule, the powers in a bias correction - are computed for the next iteration
/// beside the rest of this one, which does not wait for them any more. The same operations, so the same bits.
void compute_ahead(llvm::Function& function);

}  // namespace dlg
