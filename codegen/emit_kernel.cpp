// Owns the function of one kernel and its plain loops: in order, and as vectors.
#include <algorithm>

#include "codegen/equal_kernels.h"
#include "codegen/kernel_emitter.h"
#include "ir/loop/text.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

using llvm::Value;
using loop::Body;
using loop::BufferId;
using loop::Loop;
using loop::LoopKind;
using loop::RegId;

}  // namespace

KernelEmitter::KernelEmitter(llvm::Module& module, const loop::Program& program, std::size_t index,
                             const KernelTarget& target)
    : program_(program),
      kernel_(program.kernels[index]),
      core_(target.core),
      form_(target.form),
      builder_(module.getContext()),
      elements_(builder_, program, target.core.fma) {
  emitted_.buffers = loop::kernel_pattern(program, kernel_).parameters;
  emitted_.is_divided = form_ == StepForm::kLoops && kernel_.share != loop::Share::kNothing;
  emitted_.has_scratch = form_ == StepForm::kLoops && loop::has_tiles(kernel_.body);
  llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
  std::vector<llvm::Type*> parameters(emitted_.buffers.size(), pointer);
  parameters.push_back(builder_.getInt64Ty());
  if (emitted_.has_scratch) parameters.push_back(pointer);
  if (emitted_.is_divided) parameters.insert(parameters.end(), 2, builder_.getInt64Ty());
  emitted_.function = llvm::Function::Create(
      llvm::FunctionType::get(builder_.getVoidTy(), parameters, false), llvm::Function::InternalLinkage,
      kernel_symbol(program, index) + std::string(target.suffix), module);
  set_attributes();
}

EmittedKernel KernelEmitter::run() {
  llvm::LLVMContext& context = builder_.getContext();
  builder_.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", emitted_.function));
  llvm::BasicBlock* start = llvm::BasicBlock::Create(context, "start", emitted_.function);
  slots_.emplace(builder_, builder_.CreateBr(start));
  builder_.SetInsertPoint(start);
  emit_body(kernel_.body);
  builder_.CreateRetVoid();
  return emitted_;
}

void KernelEmitter::set_attributes() {
  llvm::Function& f = *emitted_.function;
  f.setDoesNotThrow();
  f.addFnAttr(form_ == StepForm::kStraight ? llvm::Attribute::AlwaysInline : llvm::Attribute::NoInline);
  f.addFnAttr("prefer-vector-width", "512");
  f.addFnAttr("min-legal-vector-width", "512");
  for (std::size_t i = 0; i < emitted_.buffers.size(); ++i) {
    const loop::Buffer& buffer = program_.buffers[emitted_.buffers[i]];
    llvm::Argument& argument = *f.getArg(static_cast<unsigned>(i));
    argument.setName(buffer.name);
    if (!shares_bytes(emitted_.buffers[i])) argument.addAttr(llvm::Attribute::NoAlias);
    elements_.set_pointer(emitted_.buffers[i], &argument);
  }
  llvm::Argument* rows = f.getArg(static_cast<unsigned>(emitted_.buffers.size()));
  rows->setName("rows");
  rows_ = form_ == StepForm::kStraight ? i64(builder_, program_.batch) : rows;
  elements_.set_rows(rows_);
  KernelCall call{.rows = rows_};
  llvm::Argument* next = rows + 1;
  if (emitted_.has_scratch) {
    next->setName("scratch");
    next->addAttr(llvm::Attribute::NoAlias);
    scratch_.emplace(builder_, next++, program_.schedule->scratch_bytes);
  }
  if (emitted_.is_divided) {
    call.worker = next;
    call.workers = next + 1;
    call.worker->setName("worker");
    call.workers->setName("workers");
  }
  bounds_.emplace(builder_, elements_, kernel_, call);
}

/// Whether another buffer of this kernel lies on some of the same bytes.
bool KernelEmitter::shares_bytes(BufferId id) const {
  return std::any_of(emitted_.buffers.begin(), emitted_.buffers.end(),
                     [&](BufferId other) { return other != id && share_bytes(program_, other, id); });
}

void KernelEmitter::emit_body(const Body& body) {
  if (form_ == StepForm::kStraight && elements_.width() == 1) return emit_straight_body(body);
  for (const loop::Statement& statement : body) emit_statement(statement);
}

void KernelEmitter::emit_statement(const loop::Statement& statement) {
  if (statement.instruction) elements_.emit_instruction(*statement.instruction);
  if (statement.store) elements_.store(*statement.store);
  for (const Loop& inner : statement.loop) emit_loop(inner);
}

void KernelEmitter::emit_loop(const Loop& loop) {
  set_carried_dtypes(elements_, loop);
  if (form_ == StepForm::kStraight) return emit_straight(loop);
  if (loop.kind == LoopKind::kParallel && loop.schedule && elements_.width() == 1) return emit_tiles(loop);
  // Inside another vector loop the lanes are taken already: iterations one after the other.
  if (loop.kind == LoopKind::kVector && elements_.width() == 1) return emit_vector(loop);
  if (loop.kind == LoopKind::kLanes) {
    return elements_.width() > 1 || loop::has_loops(loop.body) ? emit_lanes_in_memory(loop)
                                                               : emit_lanes_as_vector(loop);
  }
  emit_serial(loop);
}

void KernelEmitter::emit_serial(const Loop& loop) {
  const Bounds bounds = bounds_->of(loop);
  bounds_->set_block_step(loop);
  const Values initial = tile_values(elements_, loop, &loop::Carried::initial);
  const CountedLoop counted{bounds.begin, bounds.end, loop.step, loop.name, initial};
  set_tile_values(elements_, loop, &loop::Carried::result, emit_iterations(loop, counted));
}

Values KernelEmitter::emit_iterations(const Loop& loop, const CountedLoop& counted) {
  return emit_counted(builder_, counted, [&](Value* at, const Values& phis) {
    elements_.set_var(loop.var, at);
    set_tile_values(elements_, loop, &loop::Carried::current, phis);
    emit_body(loop.body);
    return tile_values(elements_, loop, &loop::Carried::next);
  });
}

/// Independent iterations, in the panels of the schedule.
void KernelEmitter::emit_vector(const Loop& loop) {
  DLG_CHECK(loop.schedule.has_value(), "a vector loop has panels");
  std::vector<loop::Panel> panels = loop.schedule->panels;
  if (has_defect(Defect::kLostVectorTail) && panels.back().width == 1) panels.pop_back();
  std::optional<Bounds> share;
  if (bounds_->is_divided(loop)) share = bounds_->share_of(bounds_->extent(loop), panels.front().width);
  Value* begin = i64(builder_, 0);
  for (const loop::Panel& panel : panels) {
    Value* end = bounds_->end_of(panel);
    elements_.at_lanes({panel.width, loop.var, panel.lanes()}, [&] {
      emit_plain(builder_, within(builder_, {begin, end}, share), panel.width, loop.name, [&](Value* at) {
        elements_.set_var(loop.var, at);
        emit_body(loop.body);
      });
    });
    begin = end;
  }
}

EmittedKernel emit_kernel(llvm::Module& module, const loop::Program& program, std::size_t index,
                          const KernelTarget& target) {
  return KernelEmitter(module, program, index, target).run();
}

}  // namespace dlg
