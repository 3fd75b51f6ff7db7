// Owns the way from a loop program to an LLVM module: one function per kernel, one entry with the loop over
// steps.
#pragma once

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <string>
#include <vector>

#include "codegen/jit.h"
#include "codegen/module_parts.h"
#include "codegen/target_spec.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// The name of the entry point in every module.
inline constexpr const char* kEntryName = "dlg_step";
/// An i64 of every module: the bytes of scratch that each worker needs.
inline constexpr const char* kScratchName = "dlg_scratch_bytes";
/// Behind the symbols of kernels with loops where a step has both forms.
inline constexpr std::string_view kRaggedSuffix = ".ragged";

/// The symbol of kernel `index`: its number keeps it apart from every other function, its name is for
/// reading.
std::string kernel_symbol(const loop::Program& program, std::size_t index);

/// A kernel's function: one pointer per buffer in `buffers`, in the order of its pattern, then the number of
/// valid rows; if it has scratch, then where the worker's part of it is; if its work is divided, then the
/// number of the worker and how many there are.
struct EmittedKernel {
  llvm::Function* function = nullptr;
  std::vector<loop::BufferId> buffers;
  bool is_divided = false;
  bool has_scratch = false;
};

/// Of every function beside the entry: it throws nothing, and its vectors are as wide as they are written.
void set_kernel_attributes(llvm::Function& function);

/// What all kernels of a program are emitted for.
struct KernelTarget {
  loop::Core core;
  StepForm form = StepForm::kLoops;
  std::string_view suffix = {};  // of the symbols
};

/// Emits one kernel. Vector loops become explicit vectors, lanes loops 16 lanes and a tree; in a straight
/// step loops of known length are unrolled instead.
EmittedKernel emit_kernel(llvm::Module& module, const loop::Program& program, std::size_t index,
                          const KernelTarget& target);
/// The function of one kernel without a body.
EmittedKernel declare_kernel(llvm::Module& module, const loop::Program& program, std::size_t index,
                             const KernelTarget& target);

/// The kernels of a step, in both forms where it has both.
struct EmittedStep {
  std::vector<EmittedKernel> loops;     // for any number of rows; empty if batches are always whole
  std::vector<EmittedKernel> straight;  // for whole batches; empty if the step has loops only
};

/// Emits the entry point of runtime/abi.h, which calls the kernels in order.
void emit_entry(llvm::Module& module, const loop::Program& program, const EmittedStep& step);

/// The whole module of a scheduled program, verified, not optimised.
std::unique_ptr<llvm::Module> emit_module(llvm::LLVMContext& context, const loop::Program& program,
                                          const TargetSpec& spec);
/// One of the modules that a program falls into.
struct ModuleRequest {
  const loop::Program& program;
  const TargetSpec& spec;
  const ModuleParts& parts;
  std::size_t number;
};
/// If there are several, they call each other's kernels by their symbols.
std::unique_ptr<llvm::Module> emit_part(llvm::LLVMContext& context, const ModuleRequest& request);

/// The type of an element in memory (bool is a byte) and in a register.
llvm::Type* memory_type(llvm::LLVMContext& context, DType dtype);
llvm::Type* register_type(llvm::LLVMContext& context, DType dtype);
/// `value`, which fits the dtype behind `type`, as a constant of `type`.
llvm::Constant* constant_element(llvm::Type* type, double value);

}  // namespace dlg
