#include "codegen/kernel_memory.h"

#include <llvm/IR/Module.h>

#include "codegen/alignment.h"
#include "ir/loop/schedule.h"
#include "support/check.h"

namespace dlg {

using llvm::Value;

Value* StackSlots::take(llvm::Type* type, const std::string& name) {
  if (Values& free = free_[type]; !free.empty()) {
    Value* memory = free.back();
    free.pop_back();
    return memory;
  }
  llvm::IRBuilder<> entry(end_);
  llvm::AllocaInst* memory = entry.CreateAlloca(type, nullptr, name);
  memory->setAlignment(llvm::Align(std::uint64_t{kBlockAlignment}));
  return memory;
}

void StackSlots::give_back(const Values& slots) {
  for (Value* memory : slots)
    free_[llvm::cast<llvm::AllocaInst>(memory)->getAllocatedType()].push_back(memory);
}

/// Of any element of a slot that holds a run of `type`.
llvm::Align StackSlots::align_of(llvm::Type* type) {
  const llvm::DataLayout& layout = builder_.GetInsertBlock()->getModule()->getDataLayout();
  const auto bytes = static_cast<std::int64_t>(layout.getTypeAllocSize(type).getFixedValue());
  return llvm::Align(scratch_alignment(bytes));
}

Value* StackSlots::load(llvm::Type* type, Value* place) {
  return builder_.CreateAlignedLoad(type, place, align_of(type));
}

void StackSlots::store(Value* value, Value* place) {
  builder_.CreateAlignedStore(value, place, align_of(value->getType()));
}

Value* ScratchStack::take(std::int64_t bytes) {
  Value* memory =
      builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), memory_, static_cast<std::uint64_t>(used_));
  used_ += loop::scratch_of(bytes);
  DLG_CHECK(used_ <= bytes_, "the schedule knows how much scratch is needed");
  return memory;
}

}  // namespace dlg
