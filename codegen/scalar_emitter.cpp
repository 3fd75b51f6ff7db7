#include "codegen/scalar_emitter.h"

#include <fmt/format.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <numeric>

#include "codegen/emit.h"
#include "codegen/llvm_adapter.h"
#include "codegen/maths_emitter.h"
#include "ir/loop/scalar_info.h"
#include "ir/loop/scalar_math.h"
#include "support/check.h"

namespace dlg {
namespace {

using llvm::Value;
using loop::Op;

/// What one instruction is emitted with.
struct Site {
  llvm::IRBuilder<>& builder;
  const loop::Instruction& instruction;
  DType argument_dtype;
  std::vector<Value*> args;
  loop::FmaSupport fma;

  bool is_float_op() const { return is_float(argument_dtype); }
};

using Emit = Value* (*)(Site&);

Value* unary_intrinsic(Site& s, llvm::Intrinsic::ID id) {
  llvm::Module& module = *s.builder.GetInsertBlock()->getModule();
  return s.builder.CreateCall(adapter::intrinsic(module, id, {s.args[0]->getType()}), {s.args[0]});
}

Value* emit_neg(Site& s) {
  return s.is_float_op() ? s.builder.CreateFNeg(s.args[0]) : s.builder.CreateNeg(s.args[0]);
}

Value* emit_abs(Site& s) {
  if (s.is_float_op()) return unary_intrinsic(s, llvm::Intrinsic::fabs);
  Value* zero = llvm::Constant::getNullValue(s.args[0]->getType());
  Value* is_negative = s.builder.CreateICmpSLT(s.args[0], zero);
  return s.builder.CreateSelect(is_negative, s.builder.CreateNeg(s.args[0]), s.args[0]);
}

Value* emit_sqrt(Site& s) {
  return unary_intrinsic(s, llvm::Intrinsic::sqrt);
}

Value* emit_add(Site& s) {
  return s.is_float_op() ? s.builder.CreateFAdd(s.args[0], s.args[1])
                         : s.builder.CreateAdd(s.args[0], s.args[1]);
}

Value* emit_sub(Site& s) {
  return s.is_float_op() ? s.builder.CreateFSub(s.args[0], s.args[1])
                         : s.builder.CreateSub(s.args[0], s.args[1]);
}

Value* emit_mul(Site& s) {
  return s.is_float_op() ? s.builder.CreateFMul(s.args[0], s.args[1])
                         : s.builder.CreateMul(s.args[0], s.args[1]);
}

/// Integers: x / 0 is 0 and x / -1 is -x, which wraps; the machine would trap on both.
Value* emit_div(Site& s) {
  if (s.is_float_op()) return s.builder.CreateFDiv(s.args[0], s.args[1]);
  Value* zero = llvm::Constant::getNullValue(s.args[1]->getType());
  Value* one = llvm::ConstantInt::get(s.args[1]->getType(), 1);
  Value* is_zero = s.builder.CreateICmpEQ(s.args[1], zero);
  Value* is_minus_one = s.builder.CreateICmpEQ(s.args[1], s.builder.CreateNeg(one));
  Value* divisor = s.builder.CreateSelect(s.builder.CreateOr(is_zero, is_minus_one), one, s.args[1]);
  Value* quotient = s.builder.CreateSDiv(s.args[0], divisor);
  Value* negated = s.builder.CreateSelect(is_minus_one, s.builder.CreateNeg(s.args[0]), quotient);
  return s.builder.CreateSelect(is_zero, zero, negated);
}

Value* emit_fma(Site& s) {
  if (s.fma == loop::FmaSupport::kNone)
    return s.builder.CreateFAdd(s.builder.CreateFMul(s.args[0], s.args[1]), s.args[2]);
  llvm::Module& module = *s.builder.GetInsertBlock()->getModule();
  return s.builder.CreateCall(adapter::intrinsic(module, llvm::Intrinsic::fma, {s.args[0]->getType()}),
                              s.args);
}

/// The larger (or smaller): NaN wins, of equal ones the first.
Value* emit_extreme(Site& s, llvm::CmpInst::Predicate ordered, llvm::CmpInst::Predicate whole) {
  if (!s.is_float_op()) {
    return s.builder.CreateSelect(s.builder.CreateICmp(whole, s.args[0], s.args[1]), s.args[0], s.args[1]);
  }
  Value* is_first = s.builder.CreateFCmp(ordered, s.args[0], s.args[1]);
  Value* is_nan = s.builder.CreateFCmpUNO(s.args[0], s.args[0]);
  return s.builder.CreateSelect(s.builder.CreateOr(is_first, is_nan), s.args[0], s.args[1]);
}

Value* emit_max(Site& s) {
  return emit_extreme(s, llvm::CmpInst::FCMP_OGE, llvm::CmpInst::ICMP_SGE);
}
Value* emit_min(Site& s) {
  return emit_extreme(s, llvm::CmpInst::FCMP_OLE, llvm::CmpInst::ICMP_SLE);
}

/// bool is one bit: unsigned comparisons are right for it, signed ones for integers.
Value* compare(Site& s, llvm::CmpInst::Predicate floating, llvm::CmpInst::Predicate whole) {
  if (s.is_float_op()) return s.builder.CreateFCmp(floating, s.args[0], s.args[1]);
  const bool is_bool = s.argument_dtype == DType::kBool;
  const llvm::CmpInst::Predicate chosen = is_bool ? llvm::ICmpInst::getUnsignedPredicate(whole) : whole;
  return s.builder.CreateICmp(llvm::ICmpInst::isEquality(whole) ? whole : chosen, s.args[0], s.args[1]);
}

Value* emit_eq(Site& s) {
  return s.is_float_op() ? s.builder.CreateFCmpOEQ(s.args[0], s.args[1])
                         : s.builder.CreateICmpEQ(s.args[0], s.args[1]);
}
Value* emit_ne(Site& s) {
  return s.is_float_op() ? s.builder.CreateFCmpUNE(s.args[0], s.args[1])
                         : s.builder.CreateICmpNE(s.args[0], s.args[1]);
}
Value* emit_lt(Site& s) {
  return compare(s, llvm::CmpInst::FCMP_OLT, llvm::CmpInst::ICMP_SLT);
}
Value* emit_le(Site& s) {
  return compare(s, llvm::CmpInst::FCMP_OLE, llvm::CmpInst::ICMP_SLE);
}
Value* emit_gt(Site& s) {
  return compare(s, llvm::CmpInst::FCMP_OGT, llvm::CmpInst::ICMP_SGT);
}
Value* emit_ge(Site& s) {
  return compare(s, llvm::CmpInst::FCMP_OGE, llvm::CmpInst::ICMP_SGE);
}

Value* emit_and(Site& s) {
  return s.builder.CreateAnd(s.args[0], s.args[1]);
}
Value* emit_or(Site& s) {
  return s.builder.CreateOr(s.args[0], s.args[1]);
}
Value* emit_not(Site& s) {
  return s.builder.CreateNot(s.args[0]);
}
Value* emit_select(Site& s) {
  return s.builder.CreateSelect(s.args[0], s.args[1], s.args[2]);
}

llvm::Type* wide_type(llvm::Type* element, unsigned width) {
  return width == 1 ? element : llvm::FixedVectorType::get(element, width);
}

/// Float to integer truncates and clamps, NaN gives 0: every value has a meaning.
Value* saturating_cast(Site& s, llvm::Type* to) {
  llvm::Module& module = *s.builder.GetInsertBlock()->getModule();
  llvm::Function* function =
      adapter::intrinsic(module, llvm::Intrinsic::fptosi_sat, {to, s.args[0]->getType()});
  return s.builder.CreateCall(function, {s.args[0]});
}

Value* emit_cast(Site& s) {
  const DType from = s.argument_dtype;
  const DType to = s.instruction.dtype;
  if (from == to) return s.args[0];
  llvm::Type* type = wide_type(register_type(s.builder.getContext(), to), width_of(s.args[0]));
  Value* zero = llvm::Constant::getNullValue(s.args[0]->getType());
  if (to == DType::kBool) {
    return is_float(from) ? s.builder.CreateFCmpUNE(s.args[0], zero)
                          : s.builder.CreateICmpNE(s.args[0], zero);
  }
  if (is_float(from))
    return is_float(to) ? s.builder.CreateFPCast(s.args[0], type) : saturating_cast(s, type);
  if (from == DType::kBool || from == DType::kU8) {
    return is_float(to) ? s.builder.CreateUIToFP(s.args[0], type) : s.builder.CreateZExt(s.args[0], type);
  }
  return is_float(to) ? s.builder.CreateSIToFP(s.args[0], type)
                      : s.builder.CreateSExtOrTrunc(s.args[0], type);
}

Value* emit_function(Site& s) {
  return emit_maths(s.builder, s.instruction.op, s.instruction.dtype, s.args, s.fma);
}

/// The emission of an op that is no elementary function.
struct Row {
  Op op;
  Emit emit;
};

constexpr Row kRows[] = {
    {Op::kNeg, emit_neg},   {Op::kAbs, emit_abs}, {Op::kSqrt, emit_sqrt}, {Op::kAdd, emit_add},
    {Op::kSub, emit_sub},   {Op::kMul, emit_mul}, {Op::kDiv, emit_div},   {Op::kMax, emit_max},
    {Op::kMin, emit_min},   {Op::kFma, emit_fma}, {Op::kEq, emit_eq},     {Op::kNe, emit_ne},
    {Op::kLt, emit_lt},     {Op::kLe, emit_le},   {Op::kGt, emit_gt},     {Op::kGe, emit_ge},
    {Op::kAnd, emit_and},   {Op::kOr, emit_or},   {Op::kNot, emit_not},   {Op::kSelect, emit_select},
    {Op::kCast, emit_cast},
};

constexpr bool has_row(Op op) {
  return std::any_of(std::begin(kRows), std::end(kRows), [op](const Row& row) { return row.op == op; });
}

/// Whether `op` is emitted here, from the row of its rule or as a function.
constexpr bool is_emitted(Op op) {
  const loop::ScalarInfo& info = loop::scalar_info(op);
  if (info.typing == loop::Typing::kSource) return true;
  return (info.unit == loop::Unit::kFunction) != has_row(op);
}

#define DLG_SCALAR_OP(name, text, ...) \
  static_assert(is_emitted(Op::name), "`" text "` has no row above, or one beside its lane form");
#include "ir/loop/scalar_ops.def"
#undef DLG_SCALAR_OP

}  // namespace

unsigned width_of(const Value* value) {
  const auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(value->getType());
  return vector == nullptr ? 1 : vector->getNumElements();
}

Value* splat_to(llvm::IRBuilder<>& builder, Value* value, unsigned width) {
  return width == 1 || width_of(value) > 1 ? value : builder.CreateVectorSplat(width, value);
}

Value* lane_range(llvm::IRBuilder<>& builder, Value* wide, unsigned begin, unsigned count) {
  if (count == 1) return builder.CreateExtractElement(wide, begin);
  std::vector<int> lanes(count);
  std::iota(lanes.begin(), lanes.end(), static_cast<int>(begin));
  return builder.CreateShuffleVector(wide, lanes);
}

std::vector<Value*> widened(llvm::IRBuilder<>& builder, std::span<Value* const> args) {
  unsigned width = 1;
  for (const Value* arg : args) width = std::max(width, width_of(arg));
  std::vector<Value*> wide;
  for (Value* arg : args) wide.push_back(splat_to(builder, arg, width));
  return wide;
}

Value* emit_scalar(llvm::IRBuilder<>& builder, const loop::Instruction& instruction, DType argument_dtype,
                   std::span<Value* const> args, loop::FmaSupport fma) {
  Site site{builder, instruction, argument_dtype, widened(builder, args), fma};
  if (loop::is_elementary(instruction.op)) return emit_function(site);
  for (const Row& row : kRows) {
    if (row.op == instruction.op) return row.emit(site);
  }
  DLG_CHECK(false, fmt::format("no emission for {}", loop::op_info(instruction.op).text));
  return nullptr;
}

}  // namespace dlg
