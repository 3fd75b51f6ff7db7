// Owns the entry point of compiled code: the loop over steps, the stop tests and the calls of the kernels
// (runtime/abi.h).
#include <fmt/format.h>

#include <array>
#include <map>
#include <type_traits>

#include "codegen/alignment.h"
#include "codegen/emit.h"
#include "codegen/llvm_adapter.h"
#include "ir/loop/scalar_math.h"
#include "runtime/abi.h"
#include "support/check.h"

namespace dlg {
namespace {

using llvm::Value;
using loop::BufferId;
using loop::BufferKind;

/// Fields of DlgContext in order; the index is the LLVM struct index.
enum Field : unsigned {
#define DLG_FIELD(Name, name, type, doc) k##Name##Field,
#include "runtime/abi.def"
#undef DLG_FIELD
  kFieldCount,
};

/// What a field of this C type is in LLVM.
template <class Type>
llvm::Type* field_type(llvm::LLVMContext& context) {
  static_assert(std::is_pointer_v<Type> || std::is_same_v<Type, double> ||
                std::is_same_v<Type, std::int64_t>);
  if (std::is_pointer_v<Type>) return llvm::PointerType::get(context, 0);
  return std::is_same_v<Type, double> ? llvm::Type::getDoubleTy(context) : llvm::Type::getInt64Ty(context);
}

llvm::StructType* context_type(llvm::LLVMContext& context) {
  const std::array<llvm::Type*, kFieldCount> fields{
#define DLG_FIELD(Name, name, type, doc) field_type<decltype(DlgContext::name)>(context),
#include "runtime/abi.def"
#undef DLG_FIELD
  };
  return llvm::StructType::get(context, fields);
}

/// Where each buffer begins.
using Places = std::map<BufferId, Value*>;

class EntryEmitter {
 public:
  EntryEmitter(llvm::Module& module, const loop::Program& program)
      : module_(module), program_(program), builder_(module.getContext()) {
    llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
    llvm::Type* i64 = builder_.getInt64Ty();
    context_type_ = context_type(module.getContext());
    function_ = llvm::Function::Create(llvm::FunctionType::get(i64, {pointer, i64}, false),
                                       llvm::Function::ExternalLinkage, kEntryName, module);
    function_->setDoesNotThrow();
    function_->getArg(0)->setName("context");
    function_->getArg(1)->setName("n_steps");
  }

  void run(const EmittedStep& step) {
    builder_.SetInsertPoint(new_block("entry"));
    load_context();
    locate_buffers();
    prepare_divided(step.loops);
    if (!step.straight.empty()) take_states();
    llvm::BasicBlock* entry = builder_.GetInsertBlock();
    head_ = new_block("step.head");
    leave_ = new_block("leave");
    builder_.CreateBr(head_);
    builder_.SetInsertPoint(leave_);
    done_ = builder_.CreatePHI(builder_.getInt64Ty(), 6, "done");
    reason_ = builder_.CreatePHI(builder_.getInt64Ty(), 6, "reason");
    builder_.SetInsertPoint(head_);
    step_ = builder_.CreatePHI(builder_.getInt64Ty(), 2, "step");
    step_->addIncoming(builder_.getInt64(0), entry);
    leave_if(builder_.CreateICmpSGE(step_, function_->getArg(1)), kDlgStepsDone);
    test_stop_flag();
    emit_step(step);
    builder_.SetInsertPoint(leave_);
    put_states();
    builder_.CreateStore(reason_, field(kReasonField));
    builder_.CreateRet(done_);
  }

 private:
  llvm::BasicBlock* new_block(const std::string& name) {
    return llvm::BasicBlock::Create(builder_.getContext(), name, function_);
  }

  Value* field(Field index) { return builder_.CreateStructGEP(context_type_, function_->getArg(0), index); }

  Value* load_field(Field index, const char* name) {
    return builder_.CreateLoad(context_type_->getElementType(index), field(index), name);
  }

  void load_context() {
    arena_ = load_field(kArenaField, "arena");
    state_ = load_field(kStateField, "state");
    output_ = load_field(kOutputField, "output");
    data_ = load_field(kDataField, "data");
    hypers_ = load_field(kHypersField, "hypers");
    order_step_ = load_field(kOrderStepField, "order_step");
    rows_total_ = load_field(kRowsTotalField, "rows_total");
    losses_ = load_field(kLossesField, "losses");
    if (program_.weight.is_valid()) weights_ = load_field(kWeightsField, "weights");
    loss_below_ = load_field(kStopLossBelowField, "stop_loss_below");
    change_below_ = load_field(kStopChangeBelowField, "stop_change_below");
    stop_flag_ = load_field(kStopFlagField, "stop_flag");
    run_phase_ = load_field(kRunPhaseField, "run_phase");
    team_ = load_field(kTeamField, "team");
    scratch_ = load_field(kScratchField, "scratch");
    scratch_stride_ = load_field(kScratchStrideField, "scratch_stride");
  }

  Value* bytes_at(Value* base, std::int64_t offset) {
    return builder_.CreateInBoundsGEP(builder_.getInt8Ty(), base,
                                      builder_.getInt64(static_cast<std::uint64_t>(offset)));
  }

  /// Where each buffer begins; the row order moves with the position and is made in each step.
  void locate_buffers() {
    std::uint64_t data_index = 0;
    std::uint64_t hyper_index = 0;
    llvm::Type* pointer = llvm::PointerType::get(module_.getContext(), 0);
    for (const BufferId id : program_.buffers.ids()) {
      const loop::Buffer& buffer = program_.buffers[id];
      switch (buffer.kind) {
        case BufferKind::kArena:
          memory_[id] = bytes_at(arena_, buffer.offset);
          break;
        case BufferKind::kState:
          memory_[id] = bytes_at(state_, buffer.offset);
          break;
        case BufferKind::kOutput:
          memory_[id] = bytes_at(output_, buffer.offset);
          break;
        case BufferKind::kConstant:
          memory_[id] = literal(buffer);
          break;
        case BufferKind::kOrder:
          break;
        case BufferKind::kHyper:
          memory_[id] =
              builder_.CreateInBoundsGEP(builder_.getDoubleTy(), hypers_, builder_.getInt64(hyper_index++));
          break;
        case BufferKind::kData:
          memory_[id] = builder_.CreateLoad(
              pointer, builder_.CreateInBoundsGEP(pointer, data_, builder_.getInt64(data_index++)),
              buffer.name);
          break;
      }
    }
  }

  Value* literal(const loop::Buffer& buffer) {
    llvm::Type* element = memory_type(module_.getContext(), buffer.type.dtype);
    std::vector<llvm::Constant*> elements(buffer.literal.size());
    const std::vector<std::int64_t> places = loop::places_of(buffer, 1);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const double value = loop::converted(buffer.literal[i], buffer.type.dtype);
      elements[static_cast<std::size_t>(places[i])] = constant_element(element, value);
    }
    auto* type = llvm::ArrayType::get(element, elements.size());
    auto* global = new llvm::GlobalVariable(module_, type, true, llvm::GlobalValue::PrivateLinkage,
                                            llvm::ConstantArray::get(type, elements), buffer.name);
    global->setAlignment(llvm::Align(start_alignment(buffer)));
    return global;
  }

  /// Leaves the loop with `reason` if `condition` holds; emission goes on where it does not.
  void leave_if(Value* condition, DlgStopReason reason) {
    llvm::BasicBlock* stay = new_block("stay");
    done_->addIncoming(step_, builder_.GetInsertBlock());
    reason_->addIncoming(builder_.getInt64(static_cast<std::uint64_t>(reason)), builder_.GetInsertBlock());
    builder_.CreateCondBr(condition, leave_, stay);
    builder_.SetInsertPoint(stay);
  }

  void test_stop_flag() {
    llvm::BasicBlock* look = new_block("flag");
    llvm::BasicBlock* begin = new_block("begin");
    Value* is_watched = builder_.CreateIsNotNull(stop_flag_);
    builder_.CreateCondBr(is_watched, look, begin);
    builder_.SetInsertPoint(look);
    Value* flag = builder_.CreateLoad(builder_.getInt32Ty(), stop_flag_, true, "flag");
    leave_if(builder_.CreateIsNotNull(flag), kDlgInterrupted);
    builder_.CreateBr(begin);
    builder_.SetInsertPoint(begin);
  }

  void emit_step(const EmittedStep& step) {
    Value* position = load_field(kPositionField, "position");
    Value* left = builder_.CreateSub(rows_total_, position);
    Value* batch = builder_.getInt64(static_cast<std::uint64_t>(program_.batch));
    rows_ = builder_.CreateSelect(builder_.CreateICmpSLT(left, batch), left, batch, "rows");
    Value* pass = load_field(kOrderField, "order");
    Value* order = builder_.CreateInBoundsGEP(builder_.getInt64Ty(), pass, position);
    for (const BufferId id : program_.buffers.ids()) {
      if (program_.buffers[id].kind == BufferKind::kOrder) memory_[id] = registers_[id] = order;
    }
    if (step.straight.empty()) {
      emit_kernels(step.loops, memory_);
    } else if (step.loops.empty()) {
      emit_kernels(step.straight, registers_);
    } else {
      emit_both(step, batch);
    }
    Value* after = builder_.CreateAdd(position, rows_);
    Value* is_end = builder_.CreateICmpSGE(after, rows_total_);
    Value* next_pass = builder_.CreateInBoundsGEP(builder_.getInt64Ty(), pass, order_step_);
    builder_.CreateStore(builder_.CreateSelect(is_end, builder_.getInt64(0), after), field(kPositionField));
    builder_.CreateStore(builder_.CreateSelect(is_end, next_pass, pass), field(kOrderField));
    step_->addIncoming(builder_.CreateAdd(step_, builder_.getInt64(1)), builder_.GetInsertBlock());
    builder_.CreateBr(head_);
  }

  /// Whole batches by the straight kernels, a smaller one by loops on the states in memory.
  void emit_both(const EmittedStep& step, Value* batch) {
    llvm::BasicBlock* whole = new_block("whole");
    llvm::BasicBlock* ragged = new_block("ragged");
    llvm::BasicBlock* stepped = new_block("stepped");
    builder_.CreateCondBr(builder_.CreateICmpEQ(rows_, batch), whole, ragged);
    builder_.SetInsertPoint(whole);
    emit_kernels(step.straight, registers_);
    builder_.CreateBr(stepped);
    builder_.SetInsertPoint(ragged);
    put_states();
    emit_kernels(step.loops, memory_);
    copy_states(memory_, registers_);
    builder_.CreateBr(stepped);
    builder_.SetInsertPoint(stepped);
  }

  void emit_kernels(const std::vector<EmittedKernel>& kernels, const Places& places) {
    std::size_t next = 0;
    for (; next < program_.kernels_before_stop_test; ++next) call(kernels[next], places);
    if (program_.fault.is_valid()) test_fault();
    if (program_.loss.is_valid()) test_loss();
    for (; next < kernels.size(); ++next) call(kernels[next], places);
    for (const loop::Copy& copy : program_.copies) emit_copy(copy.from, places, copy.to, places);
  }

  /// A straight step has its states, its arena and its hyper-parameters in slots of its own, which LLVM turns
  /// into registers; what follows from hyper-parameters alone is computed once in a call. Buffers of the
  /// arena that share bytes are apart there; states at one offset stay one.
  void take_states() {
    registers_ = memory_;
    std::map<std::int64_t, Value*> slots;
    for (const BufferId id : program_.buffers.ids()) {
      const loop::Buffer& buffer = program_.buffers[id];
      if (buffer.kind == BufferKind::kArena) registers_[id] = slot(buffer);
      if (buffer.kind == BufferKind::kHyper) {
        registers_[id] = slot(buffer);
        emit_copy(id, memory_, id, registers_);
      }
      if (buffer.kind != BufferKind::kState) continue;
      const auto [place, is_new] = slots.try_emplace(buffer.offset, nullptr);
      if (is_new) {
        place->second = slot(buffer);
        held_.push_back(id);
      }
      registers_[id] = place->second;
    }
    copy_states(memory_, registers_);
  }

  Value* slot(const loop::Buffer& buffer) {
    llvm::Type* element = memory_type(module_.getContext(), buffer.type.dtype);
    const std::int64_t bytes = loop::bytes_of(buffer, program_.batch);
    const auto count = static_cast<std::uint64_t>(bytes / dtype_bytes(buffer.type.dtype));
    llvm::AllocaInst* memory =
        builder_.CreateAlloca(llvm::ArrayType::get(element, count), nullptr, buffer.name);
    memory->setAlignment(llvm::Align(std::uint64_t{kBlockAlignment}));
    return memory;
  }

  void put_states() { copy_states(registers_, memory_); }

  void copy_states(const Places& from, const Places& to) {
    for (const BufferId id : held_) emit_copy(id, from, id, to);
  }

  void call(const EmittedKernel& kernel, const Places& places) {
    std::vector<Value*> args;
    for (const BufferId id : kernel.buffers) args.push_back(places.at(id));
    args.push_back(rows_);
    if (kernel.has_scratch) args.push_back(scratch_);
    if (kernel.is_divided) return call_divided(kernel, std::move(args));
    builder_.CreateCall(kernel.function, args);
  }

  /// By the team if there is one, else all of it here: `runner_` knows. Its arguments go through memory in
  /// both cases, so that a call is a few stores: a deep network has hundreds of them.
  void call_divided(const EmittedKernel& kernel, std::vector<Value*> args) {
    if (kernel.has_scratch) args.push_back(scratch_stride_);
    for (std::size_t i = 0; i < args.size(); ++i) {
      builder_.CreateStore(args[i], slot_of(builder_, slots_, i));
    }
    builder_.CreateCall(runner_type(), runner_, {team_, phase_of(kernel), slots_});
  }

  /// Type DlgRunPhase.
  llvm::FunctionType* runner_type() {
    llvm::Type* pointer = llvm::PointerType::get(module_.getContext(), 0);
    return llvm::FunctionType::get(builder_.getVoidTy(), {pointer, pointer, pointer}, false);
  }

  /// What divided kernels are called through, if there are any: slots for the arguments of one of them at a
  /// time (pointers and numbers are as wide) and who runs it.
  void prepare_divided(const std::vector<EmittedKernel>& kernels) {
    std::size_t most = 0;
    for (const EmittedKernel& kernel : kernels) {
      if (kernel.is_divided) most = std::max(most, kernel.function->arg_size());
    }
    if (most == 0) return;
    slots_ = builder_.CreateAlloca(llvm::ArrayType::get(builder_.getInt64Ty(), most), nullptr, "arguments");
    runner_ =
        builder_.CreateSelect(builder_.CreateIsNotNull(run_phase_), run_phase_, emit_run_alone(), "runner");
  }

  /// The only worker takes the whole phase.
  llvm::Function* emit_run_alone() {
    auto* alone =
        llvm::Function::Create(runner_type(), llvm::Function::InternalLinkage, "run_alone", module_);
    alone->setDoesNotThrow();
    llvm::IRBuilder<> body(llvm::BasicBlock::Create(module_.getContext(), "entry", alone));
    body.CreateCall(phase_type(), alone->getArg(1), {alone->getArg(2), body.getInt64(0), body.getInt64(1)});
    body.CreateRetVoid();
    return alone;
  }

  /// Type DlgPhase.
  llvm::FunctionType* phase_type() {
    llvm::Type* i64 = builder_.getInt64Ty();
    return llvm::FunctionType::get(builder_.getVoidTy(),
                                   {llvm::PointerType::get(module_.getContext(), 0), i64, i64}, false);
  }

  static Value* slot_of(llvm::IRBuilder<>& builder, Value* slots, std::size_t index) {
    return builder.CreateInBoundsGEP(builder.getInt64Ty(), slots, builder.getInt64(index));
  }

  /// A function of type DlgPhase that takes the kernel's arguments out of their slots; each worker has its
  /// own part of the scratch.
  llvm::Function* phase_of(const EmittedKernel& kernel) {
    llvm::Function*& phase = phases_[kernel.function];
    if (phase == nullptr) phase = emit_phase(kernel);
    return phase;
  }

  llvm::Function* emit_phase(const EmittedKernel& kernel) {
    llvm::Type* i64 = builder_.getInt64Ty();
    auto* phase = llvm::Function::Create(phase_type(), llvm::Function::InternalLinkage,
                                         kernel.function->getName() + ".phase", module_);
    phase->setDoesNotThrow();
    llvm::IRBuilder<> body(llvm::BasicBlock::Create(module_.getContext(), "entry", phase));
    std::vector<Value*> args;
    const std::size_t count = kernel.buffers.size() + (kernel.has_scratch ? 2 : 1);
    for (const llvm::Argument& parameter : kernel.function->args()) {
      if (args.size() == count) break;
      args.push_back(body.CreateLoad(parameter.getType(), slot_of(body, phase->getArg(0), args.size())));
    }
    if (kernel.has_scratch) {
      Value* stride = body.CreateLoad(i64, slot_of(body, phase->getArg(0), count));
      args.back() =
          body.CreateInBoundsGEP(body.getInt8Ty(), args.back(), body.CreateMul(phase->getArg(1), stride));
    }
    args.insert(args.end(), {phase->getArg(1), phase->getArg(2)});
    body.CreateCall(kernel.function, args);
    body.CreateRetVoid();
    return phase;
  }

  void emit_copy(BufferId from, const Places& from_places, BufferId to, const Places& to_places) {
    const loop::Buffer& target = program_.buffers[to];
    builder_.CreateMemCpy(to_places.at(to), llvm::Align(start_alignment(target)), from_places.at(from),
                          llvm::Align(start_alignment(program_.buffers[from])),
                          static_cast<std::uint64_t>(loop::bytes_of(target, program_.batch)));
  }

  /// A step with an index outside is not made: what the guards put in its place means nothing. Nor is an
  /// update without weight.
  void test_fault() {
    llvm::Type* type = memory_type(module_.getContext(), program_.buffers[program_.fault].type.dtype);
    Value* fault = builder_.CreateLoad(type, memory_.at(program_.fault), "fault");
    if (program_.weight.is_valid()) {
      leave_if(builder_.CreateFCmpOEQ(fault, llvm::ConstantFP::get(type, kWeightFault)), kDlgNoWeight);
    }
    leave_if(builder_.CreateFCmpUNE(fault, llvm::Constant::getNullValue(type)), kDlgIndexOutside);
  }

  /// A scalar output as f64.
  Value* load_output(BufferId id) {
    const loop::Buffer& buffer = program_.buffers[id];
    Value* stored = builder_.CreateAlignedLoad(memory_type(module_.getContext(), buffer.type.dtype),
                                               memory_.at(id), llvm::Align(start_alignment(buffer)));
    return buffer.type.dtype == DType::kF64 ? stored : builder_.CreateFPExt(stored, builder_.getDoubleTy());
  }

  /// Keeps the loss, then leaves before the update if it is not finite, small enough or settled.
  void test_loss() {
    Value* loss = load_output(program_.loss);
    keep(loss, losses_);
    if (program_.weight.is_valid()) keep(load_output(program_.weight), weights_);
    Value* magnitude = absolute(loss);
    Value* infinity = llvm::ConstantFP::getInfinity(builder_.getDoubleTy());
    // Not below infinity: infinite or NaN.
    leave_if(builder_.CreateFCmpUGE(magnitude, infinity), kDlgLossNotFinite);
    leave_if(builder_.CreateFCmpOLT(loss, loss_below_), kDlgLossBelow);
    Value* previous = load_field(kPreviousLossField, "previous_loss");
    builder_.CreateStore(loss, field(kPreviousLossField));
    Value* change = absolute(builder_.CreateFSub(loss, previous));
    leave_if(builder_.CreateFCmpOLT(change, change_below_), kDlgLossSettled);
  }

  Value* absolute(Value* value) {
    llvm::Function* fabs = adapter::intrinsic(module_, llvm::Intrinsic::fabs, {value->getType()});
    return builder_.CreateCall(fabs, {value});
  }

  /// Of each step, where the caller wants it.
  void keep(Value* number, Value* numbers) {
    llvm::BasicBlock* keep = new_block("keep");
    llvm::BasicBlock* kept = new_block("kept");
    builder_.CreateCondBr(builder_.CreateIsNotNull(numbers), keep, kept);
    builder_.SetInsertPoint(keep);
    builder_.CreateStore(number, builder_.CreateInBoundsGEP(builder_.getDoubleTy(), numbers, step_));
    builder_.CreateBr(kept);
    builder_.SetInsertPoint(kept);
  }

  llvm::Module& module_;
  const loop::Program& program_;
  llvm::IRBuilder<> builder_;
  llvm::StructType* context_type_ = nullptr;
  llvm::Function* function_ = nullptr;
  llvm::BasicBlock* head_ = nullptr;
  llvm::BasicBlock* leave_ = nullptr;
  llvm::PHINode* step_ = nullptr;
  llvm::PHINode* done_ = nullptr;
  llvm::PHINode* reason_ = nullptr;
  Value* arena_ = nullptr;
  Value* state_ = nullptr;
  Value* output_ = nullptr;
  Value* data_ = nullptr;
  Value* hypers_ = nullptr;
  Value* order_step_ = nullptr;
  Value* rows_total_ = nullptr;
  Value* losses_ = nullptr;
  Value* weights_ = nullptr;
  Value* loss_below_ = nullptr;
  Value* change_below_ = nullptr;
  Value* stop_flag_ = nullptr;
  Value* run_phase_ = nullptr;
  Value* team_ = nullptr;
  Value* scratch_ = nullptr;
  Value* scratch_stride_ = nullptr;
  Value* slots_ = nullptr;   // for the arguments of a divided kernel
  Value* runner_ = nullptr;  // of divided kernels
  Value* rows_ = nullptr;    // of this step
  std::map<llvm::Function*, llvm::Function*> phases_;
  Places memory_;               // each buffer in its block
  Places registers_;            // the same for a straight step
  std::vector<BufferId> held_;  // one state for each offset, kept in registers over all steps
};

}  // namespace

void emit_entry(llvm::Module& module, const loop::Program& program, const EmittedStep& step) {
  EntryEmitter(module, program).run(step);
}

}  // namespace dlg
