// Owns the function of one kernel and its plain loops: in order, and as vectors.
#include <fmt/format.h>

#include <algorithm>

#include "codegen/alignment.h"
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
using loop::VarId;

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
  entry_ = llvm::BasicBlock::Create(builder_.getContext(), "entry", emitted_.function);
  builder_.SetInsertPoint(entry_);
  // Stack slots go before this point: the entry block stays their home while loops grow behind it.
  llvm::BasicBlock* start = new_block("start");
  slots_end_ = builder_.CreateBr(start);
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
  rows_ = form_ == StepForm::kStraight ? static_cast<Value*>(i64(program_.batch)) : rows;
  elements_.set_rows(rows_);
  llvm::Argument* next = rows + 1;
  if (emitted_.has_scratch) {
    next->setName("scratch");
    next->addAttr(llvm::Attribute::NoAlias);
    scratch_ = next++;
  }
  if (!emitted_.is_divided) return;
  worker_ = next;
  workers_ = next + 1;
  worker_->setName("worker");
  workers_->setName("workers");
}

/// Whether another buffer of this kernel lies on some of the same bytes.
bool KernelEmitter::shares_bytes(BufferId id) const {
  return std::any_of(emitted_.buffers.begin(), emitted_.buffers.end(),
                     [&](BufferId other) { return other != id && share_bytes(program_, other, id); });
}

llvm::BasicBlock* KernelEmitter::new_block(const std::string& name) {
  return llvm::BasicBlock::Create(builder_.getContext(), name, emitted_.function);
}

Value* KernelEmitter::slot(llvm::Type* type, const std::string& name) {
  if (Values& free = free_slots_[type]; !free.empty()) {
    Value* memory = free.back();
    free.pop_back();
    return memory;
  }
  llvm::IRBuilder<> entry(slots_end_);
  llvm::AllocaInst* memory = entry.CreateAlloca(type, nullptr, name);
  memory->setAlignment(llvm::Align(std::uint64_t{kBlockAlignment}));
  return memory;
}

void KernelEmitter::give_back(const Values& slots) {
  for (Value* memory : slots) {
    free_slots_[llvm::cast<llvm::AllocaInst>(memory)->getAllocatedType()].push_back(memory);
  }
}

/// Of an element of a slot that holds a run of `type`.
llvm::Align KernelEmitter::slot_align(llvm::Type* type) {
  const llvm::DataLayout& layout = builder_.GetInsertBlock()->getModule()->getDataLayout();
  const auto bytes = static_cast<std::int64_t>(layout.getTypeAllocSize(type).getFixedValue());
  return llvm::Align(scratch_alignment(bytes));
}

Value* KernelEmitter::load_slot(llvm::Type* type, Value* place) {
  return builder_.CreateAlignedLoad(type, place, slot_align(type));
}

void KernelEmitter::store_slot(Value* value, Value* place) {
  builder_.CreateAlignedStore(value, place, slot_align(value->getType()));
}

Value* KernelEmitter::take_scratch(std::int64_t bytes) {
  Value* memory = builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), scratch_,
                                                      static_cast<std::uint64_t>(scratch_used_));
  scratch_used_ += loop::scratch_of(bytes);
  DLG_CHECK(scratch_used_ <= program_.schedule->scratch_bytes,
            "the schedule knows how much scratch is needed");
  return memory;
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

void KernelEmitter::set_carried_dtypes(const Loop& loop) {
  for (const loop::Carried& carried : loop.carried) {
    const DType dtype = elements_.dtype(carried.initial);
    for (const RegId reg :
         {carried.current, carried.next, carried.result, carried.left, carried.right, carried.combined}) {
      if (reg.is_valid()) elements_.set_dtype(reg, dtype);
    }
  }
}

void KernelEmitter::emit_loop(const Loop& loop) {
  set_carried_dtypes(loop);
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

KernelEmitter::Bounds KernelEmitter::bounds_of(const Loop& loop) {
  Value* end = loop.extent == kBatch ? rows_ : i64(loop.extent);
  if (is_divided(loop)) return share_of(end, 1);
  if (!loop.block.is_valid()) return {i64(0), end};
  Value* begin = elements_.var(loop.block);
  Value* block_end = builder_.CreateAdd(begin, i64(block_steps_.at(loop.block)));
  return {begin, builder_.CreateSelect(builder_.CreateICmpSLT(block_end, end), block_end, end)};
}

/// Workers divide the one loop that the kernel consists of.
bool KernelEmitter::is_divided(const Loop& loop) const {
  return emitted_.is_divided && &loop == kernel_.body.back().loop.data();
}

KernelEmitter::Bounds KernelEmitter::share_of(Value* end, std::int64_t unit) {
  Value* units = builder_.CreateUDiv(builder_.CreateAdd(end, i64(unit - 1)), i64(unit));
  const bool is_lost = has_defect(Defect::kLostShare);
  const auto border = [&](Value* worker) {
    Value* first = is_lost ? builder_.CreateMul(builder_.CreateUDiv(units, workers_), worker)
                           : builder_.CreateUDiv(builder_.CreateMul(units, worker), workers_);
    Value* at = builder_.CreateMul(first, i64(unit));
    return builder_.CreateSelect(builder_.CreateICmpSLT(at, end), at, end);
  };
  return {border(worker_), border(builder_.CreateAdd(worker_, i64(1)))};
}

KernelEmitter::Bounds KernelEmitter::within(const Bounds& range, const std::optional<Bounds>& share) {
  if (!share) return range;
  Value* is_later = builder_.CreateICmpSGT(share->begin, range.begin);
  Value* is_earlier = builder_.CreateICmpSLT(share->end, range.end);
  return {builder_.CreateSelect(is_later, share->begin, range.begin),
          builder_.CreateSelect(is_earlier, share->end, range.end)};
}

KernelEmitter::Values KernelEmitter::emit_counted(const CountedLoop& counted, const CountedBody& body) {
  llvm::BasicBlock* before = builder_.GetInsertBlock();
  llvm::BasicBlock* head = new_block(counted.name + ".head");
  llvm::BasicBlock* inside = new_block(counted.name + ".body");
  llvm::BasicBlock* after = new_block(counted.name + ".end");
  builder_.CreateBr(head);
  builder_.SetInsertPoint(head);
  llvm::PHINode* at = builder_.CreatePHI(builder_.getInt64Ty(), 2, counted.name);
  at->addIncoming(counted.begin, before);
  Values phis;
  for (Value* initial : counted.initial) {
    llvm::PHINode* phi = builder_.CreatePHI(initial->getType(), 2);
    phi->addIncoming(initial, before);
    phis.push_back(phi);
  }
  builder_.CreateCondBr(builder_.CreateICmpSLT(at, counted.end), inside, after);
  builder_.SetInsertPoint(inside);
  const Values next = body(at, phis);
  at->addIncoming(builder_.CreateNSWAdd(at, i64(counted.step)), builder_.GetInsertBlock());
  for (std::size_t i = 0; i < phis.size(); ++i) {
    llvm::cast<llvm::PHINode>(phis[i])->addIncoming(next[i], builder_.GetInsertBlock());
  }
  builder_.CreateBr(head);
  builder_.SetInsertPoint(after);
  return phis;
}

void KernelEmitter::emit_plain(const Bounds& bounds, std::int64_t step, const std::string& name,
                               const std::function<void(Value*)>& body) {
  emit_counted({bounds.begin, bounds.end, step, name, {}}, [&](Value* at, const Values&) {
    body(at);
    return Values{};
  });
}

void KernelEmitter::emit_serial(const Loop& loop) {
  const Bounds bounds = bounds_of(loop);
  block_steps_[loop.var] = loop.step;
  const Values initial = tile_values(loop, &loop::Carried::initial);
  const CountedLoop counted{bounds.begin, bounds.end, loop.step, loop.name, initial};
  set_tile_values(loop, &loop::Carried::result, emit_iterations(loop, counted));
}

KernelEmitter::Values KernelEmitter::emit_iterations(const Loop& loop, const CountedLoop& counted) {
  return emit_counted(counted, [&](Value* at, const Values& phis) {
    elements_.set_var(loop.var, at);
    set_tile_values(loop, &loop::Carried::current, phis);
    emit_body(loop.body);
    return tile_values(loop, &loop::Carried::next);
  });
}

KernelEmitter::Values KernelEmitter::tile_values(const Loop& loop, RegId loop::Carried::*member) {
  Values values;
  for (const loop::Carried& carried : loop.carried) {
    const Values rows = elements_.wide_rows(carried.*member);
    values.insert(values.end(), rows.begin(), rows.end());
  }
  return values;
}

void KernelEmitter::set_tile_values(const Loop& loop, RegId loop::Carried::*member, const Values& values) {
  const std::ptrdiff_t rows = elements_.tile_rows();
  auto first = values.begin();
  for (const loop::Carried& carried : loop.carried) {
    elements_.set_rows_of(carried.*member, Values(first, first + rows));
    first += rows;
  }
}

KernelEmitter::Values KernelEmitter::wide_values(const Loop& loop, RegId loop::Carried::*member) {
  Values values;
  for (const loop::Carried& carried : loop.carried) values.push_back(elements_.wide_reg(carried.*member));
  return values;
}

void KernelEmitter::set_carried(const Loop& loop, RegId loop::Carried::*member, const Values& values) {
  for (std::size_t i = 0; i < values.size(); ++i) elements_.set_reg(loop.carried[i].*member, values[i]);
}

Value* KernelEmitter::whole_part(Value* end, std::int64_t width) {
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(end)) return i64(known->getSExtValue() / width * width);
  return builder_.CreateMul(builder_.CreateUDiv(end, i64(width)), i64(width));
}

/// Where a run of columns ends: behind its last whole vector if it goes as far as the valid rows.
Value* KernelEmitter::end_of(const loop::Panel& panel) {
  return panel.end == kBatch ? whole_part(rows_, panel.width) : i64(panel.end);
}

/// Independent iterations, in the panels of the schedule.
void KernelEmitter::emit_vector(const Loop& loop) {
  DLG_CHECK(loop.schedule.has_value(), "a vector loop has panels");
  std::vector<loop::Panel> panels = loop.schedule->panels;
  if (has_defect(Defect::kLostVectorTail) && panels.back().width == 1) panels.pop_back();
  std::optional<Bounds> share;
  if (is_divided(loop))
    share = share_of(loop.extent == kBatch ? rows_ : i64(loop.extent), panels.front().width);
  Value* begin = i64(0);
  for (const loop::Panel& panel : panels) {
    Value* end = end_of(panel);
    elements_.at_lanes({panel.width, loop.var, panel.lanes()}, [&] {
      emit_plain(within({begin, end}, share), panel.width, loop.name, [&](Value* at) {
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
