// Owns the memory that a kernel has besides its buffers: slots on the stack, and scratch.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <map>
#include <string>

#include "codegen/counted_loop.h"

namespace dlg {

/// Slots on the stack. Their number follows from vectors and tiles, never from a shape.
class StackSlots {
 public:
  /// Slots are made before `end`, the last instruction of the entry block: that block stays their home while
  /// loops grow behind it.
  StackSlots(llvm::IRBuilder<>& builder, llvm::Instruction* end) : builder_(builder), end_(end) {}

  /// Some elements of `type`, as an element, a vector or an array of them.
  llvm::Value* take(llvm::Type* type, const std::string& name);
  /// From now on other slots may lie there.
  void give_back(const Values& slots);
  /// A whole slot, or a place in one that holds a run of what is loaded or stored.
  llvm::Value* load(llvm::Type* type, llvm::Value* place);
  void store(llvm::Value* value, llvm::Value* place);

 private:
  llvm::Align align_of(llvm::Type* type);

  llvm::IRBuilder<>& builder_;
  llvm::Instruction* end_;
  std::map<llvm::Type*, Values> free_;
};

/// The scratch of a worker: what is taken lies behind all that is in use, what came last goes first.
class ScratchStack {
 public:
  /// `bytes` from `memory` on; a kernel that has none takes none.
  ScratchStack(llvm::IRBuilder<>& builder, llvm::Value* memory, std::int64_t bytes)
      : builder_(builder), memory_(memory), bytes_(bytes) {}

  llvm::Value* take(std::int64_t bytes);
  std::int64_t used() const { return used_; }
  /// Frees all that was taken since so much was used.
  void free_down_to(std::int64_t used) { used_ = used; }

 private:
  llvm::IRBuilder<>& builder_;
  llvm::Value* memory_;
  std::int64_t bytes_;
  std::int64_t used_ = 0;
};

}  // namespace dlg
