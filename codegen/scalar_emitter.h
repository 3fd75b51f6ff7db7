// Owns the emission of single scalar instructions, at any vector width: the same operation on one element or
// on many.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>

#include "codegen/target_spec.h"
#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// Makes every argument as wide as the widest: a scalar among vectors is repeated.
std::vector<llvm::Value*> widened(llvm::IRBuilder<>& builder, std::span<llvm::Value* const> args);

/// `value` repeated `width` times if it is a scalar and width > 1.
llvm::Value* splat_to(llvm::IRBuilder<>& builder, llvm::Value* value, unsigned width);

/// Lanes `begin` to `begin + count` of a vector; a single one is a scalar.
llvm::Value* lane_range(llvm::IRBuilder<>& builder, llvm::Value* wide, unsigned begin, unsigned count);

/// 1 for a scalar.
unsigned width_of(const llvm::Value* value);

/// Emits arithmetic, comparison, selection, cast or an elementary function. `args` are in
/// registers; `argument_dtype` is the dtype of the last argument.
llvm::Value* emit_scalar(llvm::IRBuilder<>& builder, const loop::Instruction& instruction,
                         DType argument_dtype, std::span<llvm::Value* const> args, loop::FmaSupport fma);

}  // namespace dlg
