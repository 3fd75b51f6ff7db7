// Owns how far the loops of a kernel go when it is called: valid rows, blocks, and the share of a worker.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <map>

#include "codegen/counted_loop.h"
#include "codegen/element_emitter.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// What a kernel is told when it is called.
struct KernelCall {
  llvm::Value* rows = nullptr;     // valid ones
  llvm::Value* worker = nullptr;   // the number of this one, if the kernel is divided
  llvm::Value* workers = nullptr;  // how many there are
};

class LoopBounds {
 public:
  /// `elements` knows the variables of the loops around.
  LoopBounds(llvm::IRBuilder<>& builder, ElementEmitter& elements, const loop::Kernel& kernel,
             const KernelCall& call)
      : builder_(builder), elements_(elements), kernel_(kernel), call_(call) {}

  llvm::Value* rows() const { return call_.rows; }
  /// Iterations of `loop`, whatever a block or a worker has of them.
  llvm::Value* extent(const loop::Loop& loop);
  /// The iterations that are made at this place: of the block around, of this worker, within its bounds. The
  /// end may lie before the beginning.
  Bounds of(const loop::Loop& loop);
  /// From now on loops inside the blocks of `loop` know how long one is.
  void set_block_step(const loop::Loop& loop) { block_steps_[loop.var] = loop.step; }

  /// What workers divide of `loop`: something only of the one loop that the kernel consists of, and of the
  /// one inside whose iterations make pairs with its own.
  loop::Share division(const loop::Loop& loop) const;
  bool is_divided(const loop::Loop& loop) const { return division(loop) != loop::Share::kNothing; }
  /// What this worker has of 0 .. end, in pieces of `unit`.
  Bounds share_of(llvm::Value* end, std::int64_t unit);

  /// Where a run of columns ends: behind its last whole vector if it goes as far as the valid rows.
  llvm::Value* end_of(const loop::Panel& panel);

 private:
  Bounds without_bounds(const loop::Loop& loop);
  Bounds share_of_pairs(const loop::Loop& loop);
  llvm::Value* sum_of(const loop::Bound& bound);
  llvm::Value* divided(llvm::Value* sum, std::int64_t divisor);

  llvm::IRBuilder<>& builder_;
  ElementEmitter& elements_;
  const loop::Kernel& kernel_;
  KernelCall call_;
  std::map<loop::VarId, std::int64_t> block_steps_;
};

}  // namespace dlg
