#include "codegen/ir_lane.h"

#include <llvm/IR/Module.h>

#include "codegen/llvm_adapter.h"
#include "codegen/scalar_emitter.h"

namespace dlg {
namespace {

using llvm::Value;

llvm::Module& module_of(const LaneSite& site) {
  return *site.builder.GetInsertBlock()->getModule();
}

IrLane intrinsic_call(llvm::Intrinsic::ID id, std::initializer_list<IrLane> args) {
  const IrLane first = *args.begin();
  std::vector<Value*> values;
  for (const IrLane& arg : args) values.push_back(arg.value);
  llvm::Function* function = adapter::intrinsic(module_of(*first.site), id, {first.value->getType()});
  return {first.site, first.site->builder.CreateCall(function, values)};
}

llvm::BasicBlock* new_block(const LaneSite& site, const char* name) {
  llvm::Function* function = site.builder.GetInsertBlock()->getParent();
  return llvm::BasicBlock::Create(site.builder.getContext(), name, function);
}

/// `element` as often as `like` has lanes.
llvm::Type* as_wide_as(llvm::Type* like, llvm::Type* element) {
  return like->isVectorTy() ? llvm::VectorType::get(element, llvm::cast<llvm::VectorType>(like)) : element;
}

llvm::Type* real_type(LaneSite& site, llvm::Type* like, unsigned bits) {
  return as_wide_as(like, bits == 32 ? site.builder.getFloatTy() : site.builder.getDoubleTy());
}

/// The upper half of the digits of `a` (Dekker): products of halves are exact.
IrLane upper_half(IrLane a) {
  const bool is_f32 = a.value->getType()->getScalarSizeInBits() == 32;
  const IrLane lifted = a * a.constant(is_f32 ? 0x1.002p12 : 0x1.0000002p27);
  return lifted - (lifted - a);
}

/// A constant table in memory.
Value* table_in_memory(LaneSite& site, std::span<const double> table) {
  llvm::Constant* entries =
      llvm::ConstantDataArray::get(site.builder.getContext(), llvm::ArrayRef(table.data(), table.size()));
  llvm::Module& module = module_of(site);
  return new llvm::GlobalVariable(module, entries->getType(), true, llvm::GlobalValue::PrivateLinkage,
                                  entries, "maths.table");
}

}  // namespace

IrMask operator&(IrMask a, IrMask b) {
  return {a.site, a.site->builder.CreateAnd(a.value, b.value)};
}
IrMask operator|(IrMask a, IrMask b) {
  return {a.site, a.site->builder.CreateOr(a.value, b.value)};
}

IrBits IrBits::constant(std::uint64_t bits) const {
  // Of a narrower type the low bits count: sums of bits wrap.
  const std::uint64_t kept = value->getType()->getScalarSizeInBits() == 32 ? bits & 0xffffffff : bits;
  return {site, llvm::ConstantInt::get(value->getType(), kept)};
}
IrBits operator+(IrBits a, IrBits b) {
  return {a.site, a.site->builder.CreateAdd(a.value, b.value)};
}
IrBits operator&(IrBits a, IrBits b) {
  return {a.site, a.site->builder.CreateAnd(a.value, b.value)};
}
IrBits operator|(IrBits a, IrBits b) {
  return {a.site, a.site->builder.CreateOr(a.value, b.value)};
}
IrBits operator^(IrBits a, IrBits b) {
  return {a.site, a.site->builder.CreateXor(a.value, b.value)};
}
IrBits word_product(IrBits a, std::uint64_t factor) {
  // With the mask in sight the backend takes the product of two halves.
  const IrBits word = a & 0xffffffff;
  return {a.site, a.site->builder.CreateMul(word.value, a.constant(factor).value)};
}
IrBits operator<<(IrBits a, int count) {
  return {a.site, a.site->builder.CreateShl(a.value, static_cast<std::uint64_t>(count))};
}
IrBits operator>>(IrBits a, int count) {
  return {a.site, a.site->builder.CreateLShr(a.value, static_cast<std::uint64_t>(count))};
}
IrMask operator<(IrBits a, IrBits b) {
  return {a.site, a.site->builder.CreateICmpULT(a.value, b.value)};
}
IrMask is_set(IrBits a, std::uint64_t one) {
  return {a.site, a.site->builder.CreateICmpNE((a & one).value, a.constant(0).value)};
}
IrBits select(IrMask mask, IrBits a, IrBits b) {
  return {a.site, a.site->builder.CreateSelect(mask.value, a.value, b.value)};
}

IrLane IrLane::constant(double c) const {
  return {site, llvm::ConstantFP::get(value->getType(), c)};
}
IrLane operator-(IrLane a) {
  return {a.site, a.site->builder.CreateFNeg(a.value)};
}
IrLane operator+(IrLane a, IrLane b) {
  return {a.site, a.site->builder.CreateFAdd(a.value, b.value)};
}
IrLane operator-(IrLane a, IrLane b) {
  return {a.site, a.site->builder.CreateFSub(a.value, b.value)};
}
IrLane operator*(IrLane a, IrLane b) {
  return {a.site, a.site->builder.CreateFMul(a.value, b.value)};
}
IrLane operator/(IrLane a, IrLane b) {
  return {a.site, a.site->builder.CreateFDiv(a.value, b.value)};
}
IrMask operator<(IrLane a, IrLane b) {
  return {a.site, a.site->builder.CreateFCmpOLT(a.value, b.value)};
}
IrMask operator>(IrLane a, IrLane b) {
  return {a.site, a.site->builder.CreateFCmpOGT(a.value, b.value)};
}
IrMask operator==(IrLane a, IrLane b) {
  return {a.site, a.site->builder.CreateFCmpOEQ(a.value, b.value)};
}
IrLane absolute(IrLane a) {
  return intrinsic_call(llvm::Intrinsic::fabs, {a});
}
IrLane select(IrMask mask, IrLane a, IrLane b) {
  return {a.site, a.site->builder.CreateSelect(mask.value, a.value, b.value)};
}
IrBits bits_of(IrLane a) {
  llvm::Type* type = a.value->getType();
  llvm::Type* whole = a.site->builder.getIntNTy(type->getScalarSizeInBits());
  return {a.site, a.site->builder.CreateBitCast(a.value, as_wide_as(type, whole))};
}
IrLane real_of(IrBits bits) {
  llvm::Type* type = bits.value->getType();
  llvm::Type* real = real_type(*bits.site, type, type->getScalarSizeInBits());
  return {bits.site, bits.site->builder.CreateBitCast(bits.value, real)};
}
IrLane widened(IrLane a) {
  return {a.site, a.site->builder.CreateFPExt(a.value, real_type(*a.site, a.value->getType(), 64))};
}
IrLane narrowed(IrLane a) {
  return {a.site, a.site->builder.CreateFPTrunc(a.value, real_type(*a.site, a.value->getType(), 32))};
}

IrLane fused(IrLane a, IrLane b, IrLane c) {
  if (a.site->fma == loop::FmaSupport::kNone) return a * b + c;
  return intrinsic_call(llvm::Intrinsic::fma, {a, b, c});
}

IrLane product_error(IrLane a, IrLane b, IrLane product) {
  if (a.site->fma == loop::FmaSupport::kNative) return fused(a, b, -product);
  const IrLane a_high = upper_half(a);
  const IrLane b_high = upper_half(b);
  const IrLane a_low = a - a_high;
  const IrLane b_low = b - b_high;
  const IrLane outer = (a_high * b_high - product) + a_high * b_low;
  return (outer + a_low * b_high) + a_low * b_low;
}

IrLane lost_product(IrLane a, IrLane b) {
  return a.site->fma == loop::FmaSupport::kNative ? a.constant(0) : product_error(a, b, a * b);
}

IrLanes patched_lanes(IrMask mask, const IrLanes& usual, const std::function<IrLanes()>& unusual) {
  llvm::IRBuilder<>& builder = mask.site->builder;
  const bool is_wide = mask.value->getType()->isVectorTy();
  Value* is_any = is_wide ? builder.CreateOrReduce(mask.value) : mask.value;
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::BasicBlock* seldom = new_block(*mask.site, "seldom");
  llvm::BasicBlock* after = new_block(*mask.site, "after");
  builder.CreateCondBr(is_any, seldom, after);
  builder.SetInsertPoint(seldom);
  IrLanes mended = unusual();
  for (std::size_t i = 0; i < mended.size(); ++i) mended[i] = select(mask, mended[i], usual[i]);
  llvm::BasicBlock* seldom_end = builder.GetInsertBlock();
  builder.CreateBr(after);
  builder.SetInsertPoint(after);
  IrLanes result;
  for (std::size_t i = 0; i < usual.size(); ++i) {
    llvm::PHINode* phi = builder.CreatePHI(usual[i].value->getType(), 2);
    phi->addIncoming(usual[i].value, before);
    phi->addIncoming(mended[i].value, seldom_end);
    result.push_back({mask.site, phi});
  }
  return result;
}

IrLanes over_table_lanes(std::span<const double> table, const IrLanes& start,
                         const std::function<IrLanes(IrLane, const IrLanes&)>& step) {
  LaneSite& site = *start.front().site;
  llvm::IRBuilder<>& builder = site.builder;
  Value* entries = table_in_memory(site, table);
  llvm::BasicBlock* before = builder.GetInsertBlock();
  llvm::BasicBlock* body = new_block(site, "table");
  builder.CreateBr(body);
  builder.SetInsertPoint(body);
  llvm::PHINode* at = builder.CreatePHI(builder.getInt64Ty(), 2);
  IrLanes state;
  for (const IrLane& lane : start) {
    state.push_back({&site, builder.CreatePHI(lane.value->getType(), 2)});
  }
  Value* entry = builder.CreateLoad(builder.getDoubleTy(),
                                    builder.CreateInBoundsGEP(builder.getDoubleTy(), entries, at));
  const IrLanes next = step({&site, splat_to(builder, entry, width_of(state.front().value))}, state);
  Value* next_at = builder.CreateAdd(at, builder.getInt64(1));
  const auto close = [&](Value* phi, Value* first, Value* later) {
    llvm::cast<llvm::PHINode>(phi)->addIncoming(first, before);
    llvm::cast<llvm::PHINode>(phi)->addIncoming(later, builder.GetInsertBlock());
  };
  close(at, builder.getInt64(0), next_at);
  for (std::size_t i = 0; i < state.size(); ++i) close(state[i].value, start[i].value, next[i].value);
  llvm::BasicBlock* after = new_block(site, "table.end");
  builder.CreateCondBr(builder.CreateICmpULT(next_at, builder.getInt64(table.size())), body, after);
  builder.SetInsertPoint(after);
  return next;
}

}  // namespace dlg
