// Owns the LLVM module of a program: types, kernels, entry, the verifier.
#include <fmt/format.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <functional>
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
    case DType::kU8:
      return llvm::Type::getInt8Ty(context);
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

void set_kernel_attributes(llvm::Function& function) {
  function.setDoesNotThrow();
  function.addFnAttr("prefer-vector-width", "512");
  function.addFnAttr("min-legal-vector-width", "512");
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

/// In a straight step each kernel is written out at its place.
std::vector<EmittedKernel> emit_each_kernel(llvm::Module& module, const loop::Program& program,
                                            const KernelTarget& target) {
  std::vector<EmittedKernel> kernels;
  for (std::size_t i = 0; i < program.kernels.size(); ++i)
    kernels.push_back(emit_kernel(module, program, i, target));
  return kernels;
}

/// Equal kernels are one function, which `make` makes.
std::vector<EmittedKernel> kernels_of(const loop::Program& program, const std::vector<std::size_t>& first,
                                      const std::function<EmittedKernel(std::size_t index)>& make) {
  std::vector<EmittedKernel> kernels;
  for (std::size_t i = 0; i < program.kernels.size(); ++i) {
    if (first[i] == i) {
      kernels.push_back(make(i));
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

std::unique_ptr<llvm::Module> empty_module(llvm::LLVMContext& context, const TargetSpec& spec) {
  auto module = std::make_unique<llvm::Module>("dlg", context);
  // A copy, because asking for the machine is not const.
  llvm::orc::JITTargetMachineBuilder builder = spec.builder;
  auto machine = builder.createTargetMachine();
  DLG_CHECK(static_cast<bool>(machine), "LLVM has no machine for this target");
  module->setDataLayout((*machine)->createDataLayout());
  adapter::set_triple(*module, builder.getTargetTriple());
  return module;
}

void emit_frame(llvm::Module& module, const loop::Program& program, const EmittedStep& step) {
  emit_entry(module, program, step);
  state_scratch(module, program.schedule->scratch_bytes);
}

void verify(const llvm::Module& module) {
  std::string broken;
  llvm::raw_string_ostream stream(broken);
  DLG_CHECK(!llvm::verifyModule(module, &stream), "LLVM's verifier: " + broken);
}

}  // namespace

std::unique_ptr<llvm::Module> emit_module(llvm::LLVMContext& context, const loop::Program& program,
                                          const TargetSpec& spec) {
  DLG_CHECK(program.schedule.has_value(), "what is compiled is scheduled");
  std::unique_ptr<llvm::Module> module = empty_module(context, spec);
  const bool is_straight = program.schedule->form == StepForm::kStraight;
  EmittedStep step;
  if (is_straight) step.straight = emit_each_kernel(*module, program, {spec.core, StepForm::kStraight});
  // A batch has at least one row, so one of one row is whole.
  if (!is_straight || program.batch > 1) {
    const KernelTarget target{spec.core, StepForm::kLoops, is_straight ? kRaggedSuffix : std::string_view()};
    step.loops = kernels_of(program, first_equal_kernels(program),
                            [&](std::size_t index) { return emit_kernel(*module, program, index, target); });
  }
  emit_frame(*module, program, step);
  verify(*module);
  return module;
}

std::unique_ptr<llvm::Module> emit_part(llvm::LLVMContext& context, const ModuleRequest& request) {
  const auto& [program, spec, parts, number] = request;
  if (parts.kernels.size() == 1) return emit_module(context, program, spec);
  std::unique_ptr<llvm::Module> module = empty_module(context, spec);
  const auto emit_shared = [&](std::size_t index) {
    const KernelTarget target{spec.core, StepForm::kLoops};
    const bool is_own = std::ranges::binary_search(parts.kernels[number], index);
    const EmittedKernel kernel = is_own ? emit_kernel(*module, program, index, target)
                                        : declare_kernel(*module, program, index, target);
    kernel.function->setLinkage(llvm::GlobalValue::ExternalLinkage);
    return kernel;
  };
  if (number == 0) {
    emit_frame(*module, program, {kernels_of(program, parts.first_equal, emit_shared), {}});
  } else {
    std::ranges::for_each(parts.kernels[number], emit_shared);
  }
  verify(*module);
  return module;
}

}  // namespace dlg
