// Owns the way from a loop program to an LLVM module: one function per kernel, one entry with the loop over
// steps.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <string>
#include <vector>

#include "codegen/target_spec.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// The name of the entry point in every module.
inline constexpr const char* kEntryName = "dlg_step";

/// The symbol of kernel `index`: its number keeps it apart from every other function, its name is for
/// reading.
std::string kernel_symbol(const loop::Program& program, std::size_t index);

/// A kernel's function: one pointer per buffer in `buffers`, then the number of valid rows.
struct EmittedKernel {
  llvm::Function* function = nullptr;
  std::vector<loop::BufferId> buffers;
};

/// Emits one kernel. Vector loops become explicit vectors, lanes loops 16 lanes and a tree.
EmittedKernel emit_kernel(llvm::Module& module, const loop::Program& program, std::size_t index,
                          const VectorUnit& unit);

/// Emits the entry point of runtime/abi.h, which calls the kernels in order.
void emit_entry(llvm::Module& module, const loop::Program& program,
                const std::vector<EmittedKernel>& kernels);

/// The whole module, verified, not optimised.
std::unique_ptr<llvm::Module> emit_module(llvm::LLVMContext& context, const loop::Program& program,
                                          const TargetSpec& spec);

/// The type of an element in memory (bool is a byte) and in a register.
llvm::Type* memory_type(llvm::LLVMContext& context, DType dtype);
llvm::Type* register_type(llvm::LLVMContext& context, DType dtype);
/// `value`, which fits the dtype behind `type`, as a constant of `type`.
llvm::Constant* constant_element(llvm::Type* type, double value);

}  // namespace dlg
