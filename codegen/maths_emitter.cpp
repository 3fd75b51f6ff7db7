#include "codegen/maths_emitter.h"

#include <fmt/format.h>
#include <llvm/IR/Module.h>

#include <numeric>

#include "codegen/emit.h"
#include "codegen/ir_lane.h"
#include "codegen/scalar_emitter.h"
#include "ir/loop/maths/functions.h"
#include "support/check.h"

namespace dlg {
namespace {

using llvm::Value;
using loop::Op;

/// The largest vector that a function takes; narrower targets split it.
constexpr unsigned kVectorBytes = 64;

void set_attributes(llvm::Function& function) {
  set_kernel_attributes(function);
  function.setDoesNotAccessMemory();
  function.setWillReturn();
  function.addFnAttr(llvm::Attribute::NoInline);
}

Value* emit_inline(llvm::IRBuilder<>& builder, Op op, DType dtype, std::span<Value* const> args,
                   loop::FmaSupport fma) {
  LaneSite site{builder, fma};
  std::vector<IrLane> lanes;
  for (Value* arg : args) lanes.push_back({&site, arg});
  const auto* row = loop::maths::function_row<IrLane, IrLane>(op);
  DLG_CHECK(row != nullptr, fmt::format("no function for {}", loop::op_info(op).text));
  return (dtype == DType::kF32 ? row->f32 : row->f64)(lanes.data()).value;
}

/// The function of these arguments' type, emitted at its first use.
llvm::Function* function_of(llvm::Module& module, Op op, DType dtype, llvm::Type* type,
                            loop::FmaSupport fma) {
  const unsigned width = type->isVectorTy() ? llvm::cast<llvm::FixedVectorType>(type)->getNumElements() : 1;
  const std::string name = fmt::format("maths.{}.{}.{}", loop::op_info(op).text, dtype_name(dtype), width);
  if (llvm::Function* known = module.getFunction(name)) return known;
  const std::vector<llvm::Type*> parameters(static_cast<std::size_t>(loop::op_info(op).arity), type);
  auto* function = llvm::Function::Create(llvm::FunctionType::get(type, parameters, false),
                                          llvm::Function::InternalLinkage, name, module);
  set_attributes(*function);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(module.getContext(), "entry", function));
  std::vector<Value*> args;
  for (llvm::Argument& argument : function->args()) args.push_back(&argument);
  builder.CreateRet(emit_inline(builder, op, dtype, args, fma));
  return function;
}

Value* emit_call(llvm::IRBuilder<>& builder, Op op, DType dtype, std::span<Value* const> args,
                 loop::FmaSupport fma) {
  llvm::Module& module = *builder.GetInsertBlock()->getModule();
  llvm::Function* function = function_of(module, op, dtype, args[0]->getType(), fma);
  return builder.CreateCall(function, llvm::ArrayRef(args.data(), args.size()));
}

/// The parts one behind the other; a power of two of them.
Value* all_joined(llvm::IRBuilder<>& builder, std::vector<Value*> parts) {
  while (parts.size() > 1) {
    std::vector<int> lanes(std::size_t{2} * width_of(parts[0]));
    std::iota(lanes.begin(), lanes.end(), 0);
    std::vector<Value*> pairs;
    for (std::size_t i = 0; i < parts.size(); i += 2) {
      pairs.push_back(builder.CreateShuffleVector(parts[i], parts[i + 1], lanes));
    }
    parts = pairs;
  }
  return parts.front();
}

}  // namespace

Value* emit_maths(llvm::IRBuilder<>& builder, Op op, DType dtype, std::span<Value* const> args,
                  loop::FmaSupport fma) {
  const unsigned widest = kVectorBytes / static_cast<unsigned>(dtype_bytes(dtype));
  const unsigned width = width_of(args[0]);
  // A straight step has everything in line: a call would send its registers to memory.
  const bool is_straight =
      builder.GetInsertBlock()->getParent()->hasFnAttribute(llvm::Attribute::AlwaysInline);
  if (width == widest || is_straight) return emit_inline(builder, op, dtype, args, fma);
  if (width < widest) return emit_call(builder, op, dtype, args, fma);
  std::vector<Value*> results;
  for (unsigned begin = 0; begin < width; begin += widest) {
    std::vector<Value*> parts;
    for (Value* arg : args) parts.push_back(lane_range(builder, arg, begin, widest));
    results.push_back(emit_call(builder, op, dtype, parts, fma));
  }
  return all_joined(builder, results);
}

}  // namespace dlg
