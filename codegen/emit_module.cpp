// Owns the LLVM module of a program: types, kernels, entry, the verifier.
#include <fmt/format.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include "codegen/emit.h"
#include "codegen/llvm_adapter.h"
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

std::unique_ptr<llvm::Module> emit_module(llvm::LLVMContext& context, const loop::Program& program,
                                          const TargetSpec& spec) {
  auto module = std::make_unique<llvm::Module>("dlg", context);
  // A copy, because asking for the machine is not const.
  llvm::orc::JITTargetMachineBuilder builder = spec.builder;
  auto machine = builder.createTargetMachine();
  DLG_CHECK(static_cast<bool>(machine), "LLVM has no machine for this target");
  module->setDataLayout((*machine)->createDataLayout());
  adapter::set_triple(*module, builder.getTargetTriple());
  std::vector<EmittedKernel> kernels;
  for (const loop::Kernel& kernel : program.kernels) {
    kernels.push_back(emit_kernel(*module, program, kernel, spec.fma));
  }
  emit_entry(*module, program, kernels);
  std::string broken;
  llvm::raw_string_ostream stream(broken);
  DLG_CHECK(!llvm::verifyModule(*module, &stream), "LLVM's verifier: " + broken);
  return module;
}

}  // namespace dlg
