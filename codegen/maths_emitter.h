// Owns the elementary functions of a module: at full width they stand in the loop, whose registers keep their
// constants; at any other width each is emitted once and called.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <span>

#include "codegen/target_spec.h"
#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// `op` of `args`, which are of one width and of `dtype` (f32 or f64). Vectors beyond 64 bytes are taken in
/// parts.
llvm::Value* emit_maths(llvm::IRBuilder<>& builder, loop::Op op, DType dtype,
                        std::span<llvm::Value* const> args, loop::FmaSupport fma);

}  // namespace dlg
