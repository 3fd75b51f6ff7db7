// Owns the function of one kernel: its parameters, its attributes, and what its body is emitted with.
#include <algorithm>

#include "codegen/alignment.h"
#include "codegen/emit.h"
#include "codegen/emit_loops.h"
#include "codegen/equal_kernels.h"
#include "codegen/kernel_site.h"
#include "codegen/waiting_sums.h"
#include "ir/loop/nest.h"
#include "ir/loop/text.h"

namespace dlg {
namespace {

using llvm::Value;
using loop::BufferId;

llvm::FunctionType* type_of(const EmittedKernel& kernel, llvm::LLVMContext& context) {
  llvm::Type* pointer = llvm::PointerType::get(context, 0);
  llvm::Type* number = llvm::Type::getInt64Ty(context);
  std::vector<llvm::Type*> parameters(kernel.buffers.size(), pointer);
  parameters.push_back(number);
  if (kernel.has_scratch) parameters.push_back(pointer);
  if (kernel.is_divided) parameters.insert(parameters.end(), 2, number);
  return llvm::FunctionType::get(llvm::Type::getVoidTy(context), parameters, false);
}

void set_attributes(llvm::Function& function, StepForm form) {
  set_kernel_attributes(function);
  function.addFnAttr(form == StepForm::kStraight ? llvm::Attribute::AlwaysInline : llvm::Attribute::NoInline);
}

/// Whether another buffer of `kernel` lies on some of the bytes of `id`.
bool shares_bytes(const loop::Program& program, const EmittedKernel& kernel, BufferId id) {
  return std::any_of(kernel.buffers.begin(), kernel.buffers.end(),
                     [&](BufferId other) { return other != id && share_bytes(program, other, id); });
}

/// The parameters of a kernel's function; null: it has none of these.
struct Arguments {
  std::vector<llvm::Argument*> buffers = {};
  llvm::Argument* rows = nullptr;
  llvm::Argument* scratch = nullptr;
  llvm::Argument* worker = nullptr;
  llvm::Argument* workers = nullptr;
};

/// Gives the parameters their names, and says which of them point to bytes of their own.
Arguments named_arguments(const loop::Program& program, const EmittedKernel& kernel) {
  llvm::Argument* next = kernel.function->arg_begin();
  const auto named = [&](const std::string& name) {
    next->setName(name);
    return next++;
  };
  Arguments arguments;
  for (const BufferId id : kernel.buffers) {
    arguments.buffers.push_back(named(program.buffers[id].name));
    if (!shares_bytes(program, kernel, id)) arguments.buffers.back()->addAttr(llvm::Attribute::NoAlias);
  }
  arguments.rows = named("rows");
  if (kernel.has_scratch) {
    arguments.scratch = named("scratch");
    arguments.scratch->addAttr(llvm::Attribute::NoAlias);
  }
  if (kernel.is_divided) {
    arguments.worker = named("worker");
    arguments.workers = named("workers");
  }
  return arguments;
}

/// A block for slots of the stack, and the one in which the body begins. Answers the end of the first.
llvm::Instruction* enter(llvm::IRBuilder<>& builder, llvm::Function& function) {
  llvm::BasicBlock* entry = llvm::BasicBlock::Create(builder.getContext(), "entry", &function);
  llvm::BasicBlock* start = llvm::BasicBlock::Create(builder.getContext(), "start", &function);
  builder.SetInsertPoint(entry);
  llvm::Instruction* end = builder.CreateBr(start);
  builder.SetInsertPoint(start);
  return end;
}

}  // namespace

EmittedKernel declare_kernel(llvm::Module& module, const loop::Program& program, std::size_t index,
                             const KernelTarget& target) {
  const loop::Kernel& kernel = program.kernels[index];
  const bool has_loops = target.form == StepForm::kLoops;
  EmittedKernel emitted{.buffers = loop::kernel_pattern(program, kernel).parameters,
                        .is_divided = has_loops && kernel.share != loop::Share::kNothing,
                        .has_scratch = has_loops && loop::has_tiles(kernel.body)};
  emitted.function =
      llvm::Function::Create(type_of(emitted, module.getContext()), llvm::Function::InternalLinkage,
                             kernel_symbol(program, index) + std::string(target.suffix), module);
  set_attributes(*emitted.function, target.form);
  return emitted;
}

EmittedKernel emit_kernel(llvm::Module& module, const loop::Program& program, std::size_t index,
                          const KernelTarget& target) {
  const loop::Kernel& kernel = program.kernels[index];
  const EmittedKernel emitted = declare_kernel(module, program, index, target);
  const Arguments arguments = named_arguments(program, emitted);
  llvm::IRBuilder<> builder(module.getContext());
  StackSlots slots(builder, enter(builder, *emitted.function));
  ScratchStack scratch(builder, arguments.scratch, program.schedule->scratch_bytes);
  // A straight step is for whole batches.
  Value* rows = target.form == StepForm::kStraight ? i64(builder, program.batch) : arguments.rows;
  ElementEmitter elements(builder, program, target.core.fma);
  elements.set_rows(rows);
  for (std::size_t i = 0; i < emitted.buffers.size(); ++i)
    elements.set_pointer(emitted.buffers[i], arguments.buffers[i]);
  LoopBounds bounds(builder, elements, kernel, {rows, arguments.worker, arguments.workers});
  const KernelSite site{program, kernel, target.form, builder, elements, bounds, slots, scratch};
  if (target.form == StepForm::kLoops && loop::has_waiting_sums(kernel.body)) {
    emit_waiting(site);
  } else {
    emit_body(site, kernel.body);
  }
  builder.CreateRetVoid();
  return emitted;
}

}  // namespace dlg
