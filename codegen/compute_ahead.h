// Owns what a straight step computes for the step after it: the values that the schedule marks go from one
// iteration of the loop over steps to the next.
#pragma once

#include <llvm/IR/Function.h>
#include <llvm/IR/IRBuilder.h>

namespace dlg {

/// `value`, marked as what is to be computed ahead: through a function of its own, which LLVM's clean-up
/// leaves alone.
llvm::Value* marked_ahead(llvm::IRBuilder<>& builder, llvm::Value* value);

/// Gives each marked value of `entry`, which has been cleaned up, the place where it is computed: at the end
/// of the step before, and once before the loop. That shortens no computation, it lets the computation run
/// beside another one. No value of this kind is left in the module.
void compute_ahead(llvm::Function& entry);

}  // namespace dlg
