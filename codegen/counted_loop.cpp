#include "codegen/counted_loop.h"

namespace dlg {

using llvm::Value;

namespace {

/// At the end of the function.
llvm::BasicBlock* new_block(llvm::IRBuilder<>& builder, const std::string& name) {
  return llvm::BasicBlock::Create(builder.getContext(), name, builder.GetInsertBlock()->getParent());
}

llvm::PHINode* phi_from(llvm::IRBuilder<>& builder, Value* initial, llvm::BasicBlock* before,
                        const std::string& name) {
  llvm::PHINode* phi = builder.CreatePHI(initial->getType(), 2, name);
  phi->addIncoming(initial, before);
  return phi;
}

}  // namespace

Values emit_counted(llvm::IRBuilder<>& builder, const CountedLoop& counted, const CountedBody& body) {
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::BasicBlock* head = new_block(builder, counted.name + ".head");
  llvm::BasicBlock* inside = new_block(builder, counted.name + ".body");
  llvm::BasicBlock* after = new_block(builder, counted.name + ".end");
  builder.CreateBr(head);
  builder.SetInsertPoint(head);
  llvm::PHINode* at = phi_from(builder, counted.begin, before, counted.name);
  Values phis;
  for (Value* initial : counted.initial) phis.push_back(phi_from(builder, initial, before, ""));
  builder.CreateCondBr(builder.CreateICmpSLT(at, counted.end), inside, after);
  builder.SetInsertPoint(inside);
  const Values next = body(at, phis);
  at->addIncoming(builder.CreateNSWAdd(at, i64(builder, counted.step)), builder.GetInsertBlock());
  for (std::size_t i = 0; i < phis.size(); ++i) {
    llvm::cast<llvm::PHINode>(phis[i])->addIncoming(next[i], builder.GetInsertBlock());
  }
  builder.CreateBr(head);
  builder.SetInsertPoint(after);
  return phis;
}

void emit_plain(llvm::IRBuilder<>& builder, const Bounds& bounds, std::int64_t step, const std::string& name,
                const std::function<void(Value*)>& body) {
  emit_counted(builder, {bounds.begin, bounds.end, step, name, {}}, [&](Value* at, const Values&) {
    body(at);
    return Values{};
  });
}

Value* i64(llvm::IRBuilder<>& builder, std::int64_t value) {
  return builder.getInt64(static_cast<std::uint64_t>(value));
}

Value* plus(llvm::IRBuilder<>& builder, Value* a, Value* b) {
  const auto is_zero = [](Value* value) {
    const auto* number = llvm::dyn_cast<llvm::ConstantInt>(value);
    return number != nullptr && number->isZero();
  };
  if (is_zero(a)) return b;
  return is_zero(b) ? a : builder.CreateAdd(a, b);
}

Value* times(llvm::IRBuilder<>& builder, Value* value, std::int64_t factor) {
  return factor == 1 ? value : builder.CreateMul(value, i64(builder, factor));
}

Value* smaller(llvm::IRBuilder<>& builder, Value* a, Value* b) {
  return builder.CreateSelect(builder.CreateICmpSLT(a, b), a, b);
}

Value* larger(llvm::IRBuilder<>& builder, Value* a, Value* b) {
  return builder.CreateSelect(builder.CreateICmpSGT(a, b), a, b);
}

Value* whole_part(llvm::IRBuilder<>& builder, Value* end, std::int64_t width) {
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(end))
    return i64(builder, known->getSExtValue() / width * width);
  return builder.CreateMul(builder.CreateUDiv(end, i64(builder, width)), i64(builder, width));
}

Bounds within(llvm::IRBuilder<>& builder, const Bounds& range, const std::optional<Bounds>& share) {
  if (!share) return range;
  Value* is_later = builder.CreateICmpSGT(share->begin, range.begin);
  Value* is_earlier = builder.CreateICmpSLT(share->end, range.end);
  return {builder.CreateSelect(is_later, share->begin, range.begin),
          builder.CreateSelect(is_earlier, share->end, range.end)};
}

}  // namespace dlg
