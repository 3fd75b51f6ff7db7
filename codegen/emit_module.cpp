// Owns the LLVM module of a program: types, kernels, entry, the verifier.
#include <fmt/format.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <limits>

#include "codegen/emit.h"
#include "codegen/equal_kernels.h"
#include "codegen/llvm_adapter.h"
#include "ir/loop/text.h"
#include "support/check.h"

namespace dlg {

llvm::Type* memory_type(llvm::LLVMContext& context, DType dtype) {
  return dtype == DType::kBool ? llvm::Type::getInt8Ty(context) : register_type(context, dtype);
}

llvm::Type* register_type(llvm::LLVMContext& context, DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return llvm::Type::getInt1Ty(context);
    case DType::kI32:
      return llvm::Type::getInt32Ty(context);
    case DType::kI64:
      return llvm::Type::getInt64Ty(context);
    case DType::kF32:
      return llvm::Type::getFloatTy(context);
    case DType::kF64:
      break;
  }
  return llvm::Type::getDoubleTy(context);
}

llvm::Constant* constant_element(llvm::Type* type, double value) {
  if (type->isFloatingPointTy()) return llvm::ConstantFP::get(type, value);
  // The largest i64 has no double of its own: the interpreter's image of it is 2^63.
  if (value >= 0x1p63) return llvm::ConstantInt::getSigned(type, std::numeric_limits<std::int64_t>::max());
  const auto whole = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  return type->isIntegerTy(1) ? llvm::ConstantInt::getBool(type, whole != 0)
                              : llvm::ConstantInt::get(type, whole, true);
}

std::string kernel_symbol(const loop::Program& program, std::size_t index) {
  std::string symbol = fmt::format("k{}.{}", index, program.kernels[index].name);
  // Anything but plain characters would need quotes in LLVM's and the assembler's text.
  for (char& c : symbol) {
    const bool is_plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
    if (!is_plain) c = '_';
  }
  return symbol;
}

namespace {

/// Equal kernels are one function; in a straight step each is written out at its place.
std::vector<EmittedKernel> emit_kernels(llvm::Module& module, const loop::Program& program,
                                        const KernelTarget& target) {
  const bool is_straight = target.form == StepForm::kStraight;
  const std::vector<std::size_t> first =
      is_straight ? std::vector<std::size_t>() : first_equal_kernels(program);
  std::vector<EmittedKernel> kernels;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    if (is_straight || first[i] == i) {
      kernels.push_back(emit_kernel(module, program, i, target));
      continue;
    }
    kernels.push_back(kernels[first[i]]);
    kernels.back().buffers = loop::kernel_pattern(program, program.kernels[i]).parameters;
  }
  return kernels;
}

/// Says in the module what each worker needs: kernels run one after the other, on the same bytes.
void state_scratch(llvm::Module& module, std::int64_t bytes) {
  llvm::Type* type = llvm::Type::getInt64Ty(module.getContext());
  new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::ExternalLinkage,
                           llvm::ConstantInt::get(type, static_cast<std::uint64_t>(bytes)), kScratchName);
}

}  // namespace

std::unique_ptr<llvm::Module> emit_module(llvm::LLVMContext& context, const loop::Program& program,
                                          const TargetSpec& spec) {
  DLG_CHECK(program.schedule.has_value(), "what is compiled is scheduled");
  auto module = std::make_unique<llvm::Module>("dlg", context);
  // A copy, because asking for the machine is not const.
  llvm::orc::JITTargetMachineBuilder builder = spec.builder;
  auto machine = builder.createTargetMachine();
  DLG_CHECK(static_cast<bool>(machine), "LLVM has no machine for this target");
  module->setDataLayout((*machine)->createDataLayout());
  adapter::set_triple(*module, builder.getTargetTriple());
  const bool is_straight = program.schedule->form == StepForm::kStraight;
  EmittedStep step;
  if (is_straight) step.straight = emit_kernels(*module, program, {spec.core, StepForm::kStraight});
  // A batch has at least one row, so one of one row is whole.
  if (!is_straight || program.batch > 1) {
    step.loops = emit_kernels(
        *module, program, {spec.core, StepForm::kLoops, is_straight ? kRaggedSuffix : std::string_view()});
  }
  emit_entry(*module, program, step);
  state_scratch(*module, program.schedule->scratch_bytes);
  std::string broken;
  llvm::raw_string_ostream stream(broken);
  DLG_CHECK(!llvm::verifyModule(*module, &stream), "LLVM's verifier: " + broken);
  return module;
}

}  // namespace dlg
