#include "codegen/module_facts.h"

#include <fmt/format.h>
#include <llvm/Analysis/ScalarEvolution.h>
#include <llvm/Analysis/ScalarEvolutionExpressions.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <map>

#include "codegen/emit.h"

namespace dlg {
namespace {

using llvm::Value;

/// What a field of DlgContext points to is a multiple of, or what it is, by its offset; of the other fields
/// nothing is known.
const std::map<std::int64_t, std::uint64_t> kFieldAlignment{
    {offsetof(DlgContext, arena), 64},         {offsetof(DlgContext, state), 64},
    {offsetof(DlgContext, output), 64},        {offsetof(DlgContext, data), 8},
    {offsetof(DlgContext, hypers), 8},         {offsetof(DlgContext, order), 8},
    {offsetof(DlgContext, losses), 8},         {offsetof(DlgContext, weights), 8},
    {offsetof(DlgContext, stop_flag), 4},      {offsetof(DlgContext, scratch), 64},
    {offsetof(DlgContext, scratch_stride), 64}};

std::string text_of(const llvm::Instruction& instruction) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  instruction.print(stream);
  return fmt::format("{}: {}", instruction.getFunction()->getName().str(), text);
}

/// Follows addresses back to what they are made of. It knows the context and nothing of the plan: where a
/// buffer begins it reads off the entry.
class AlignmentProof {
 public:
  AlignmentProof(const loop::Program& program, llvm::Module& module) : module_(module) {
    for (const loop::Buffer& buffer : program.buffers) {
      if (buffer.kind == loop::BufferKind::kData)
        data_alignment_.push_back(static_cast<std::uint64_t>(dtype_bytes(buffer.type.dtype)));
    }
    llvm::PassBuilder passes;
    passes.registerModuleAnalyses(modules_);
    passes.registerCGSCCAnalyses(sccs_);
    passes.registerFunctionAnalyses(functions_);
    passes.registerLoopAnalyses(loops_);
    passes.crossRegisterProxies(loops_, functions_, sccs_, modules_);
  }

  /// From callers to what they call: the entry, the phases that it hands to workers, the rest.
  void run(ModuleFacts& facts) {
    llvm::Function* entry = module_.getFunction(kEntryName);
    look_at(*entry, facts);
    for (llvm::Function& function : module_) {
      if (slots_.contains(&function)) look_at(function, facts);
    }
    for (llvm::Function& function : module_) {
      const bool is_seen = &function == entry || slots_.contains(&function);
      if (!function.isDeclaration() && !is_seen) look_at(function, facts);
    }
  }

 private:
  void look_at(llvm::Function& function, ModuleFacts& facts) {
    evolution_ = &functions_.getResult<llvm::ScalarEvolutionAnalysis>(function);
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      if (const auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction)) note_arguments(*call);
      if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) note_slot(*store);
      for (const auto& [pointer, claimed] : claims_of(instruction)) {
        ++facts.accesses;
        if (claimed > proved(pointer)) facts.unfounded.push_back(text_of(instruction));
      }
    }
    functions_.clear();
  }

  using Claims = std::vector<std::pair<Value*, std::uint64_t>>;
  static Claims claims_of(llvm::Instruction& instruction) {
    if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction))
      return {{load->getPointerOperand(), load->getAlign().value()}};
    if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction))
      return {{store->getPointerOperand(), store->getAlign().value()}};
    if (auto* copy = llvm::dyn_cast<llvm::MemCpyInst>(&instruction)) {
      return {{copy->getDest(), copy->getDestAlign().valueOrOne().value()},
              {copy->getSource(), copy->getSourceAlign().valueOrOne().value()}};
    }
    return {};
  }

  using Slots = std::map<std::int64_t, std::uint64_t>;  // byte offset -> what is there is a multiple of it

  /// A kernel is called by its name, by the entry or by its phase: there its buffers begin.
  void note_arguments(const llvm::CallInst& call) {
    llvm::Function* callee = call.getCalledFunction();
    if (callee == nullptr) return note_phase(call);
    const bool is_caller = call.getFunction()->getName() == kEntryName || slots_.contains(call.getFunction());
    if (callee->isDeclaration() || !is_caller) return;
    for (llvm::Argument& parameter : callee->args()) {
      if (!parameter.getType()->isPointerTy()) continue;
      least(parameters_, &parameter, proved(call.getArgOperand(parameter.getArgNo())));
    }
  }

  /// Where the entry lays the arguments of the phase that it is about to hand to workers.
  void note_slot(llvm::StoreInst& store) {
    const auto [base, distance] = parts_of(store.getPointerOperand());
    const auto* offset = llvm::dyn_cast<llvm::SCEVConstant>(distance);
    Value* value = store.getValueOperand();
    if (offset == nullptr || !evolution_->isSCEVable(value->getType())) return;
    laid_[base][offset->getAPInt().getSExtValue()] =
        value->getType()->isPointerTy() ? proved(value) : multiple_of(evolution_->getSCEV(value));
  }

  /// A call through the one who runs phases: what lies in the slots is what the phase finds.
  void note_phase(const llvm::CallInst& call) {
    const auto is_phase = [](const llvm::Use& use) { return llvm::isa<llvm::Function>(use.get()); };
    const auto* phase = std::find_if(call.arg_begin(), call.arg_end(), is_phase);
    if (phase == call.arg_end()) return;
    Slots& slots = slots_[llvm::cast<llvm::Function>(phase->get())];
    for (const llvm::Use& use : call.args()) {
      for (const auto& [offset, alignment] : laid_[use.get()]) least(slots, offset, alignment);
    }
  }

  template <class Key>
  static void least(std::map<Key, std::uint64_t>& known, Key key, std::uint64_t here) {
    const auto [found, is_new] = known.try_emplace(key, here);
    if (!is_new) found->second = std::min(found->second, here);
  }

  std::uint64_t proved(Value* pointer) {
    const auto [base, distance] = parts_of(pointer);
    return std::min(alignment_of(base), multiple_of(distance));
  }

  /// A power of two.
  std::uint64_t multiple_of(const llvm::SCEV* number) {
    if (const auto* product = llvm::dyn_cast<llvm::SCEVMulExpr>(number)) {
      std::uint64_t multiple = 1;
      for (const llvm::SCEV* factor : product->operands()) multiple *= multiple_of(factor);
      return multiple;
    }
    const auto* unknown = llvm::dyn_cast<llvm::SCEVUnknown>(number);
    auto* load = unknown == nullptr ? nullptr : llvm::dyn_cast<llvm::LoadInst>(unknown->getValue());
    if (load != nullptr) return alignment_behind(*load);
    return std::uint64_t{1} << std::min(evolution_->getMinTrailingZeros(number), 12U);
  }

  struct Parts {
    Value* base;
    const llvm::SCEV* distance;
  };
  Parts parts_of(Value* pointer) {
    const llvm::SCEV* place = evolution_->getSCEV(pointer);
    const llvm::SCEV* base = evolution_->getPointerBase(place);
    return {llvm::cast<llvm::SCEVUnknown>(base)->getValue(), evolution_->getMinusSCEV(place, base)};
  }

  std::uint64_t alignment_of(Value* base) {
    if (const auto* slot = llvm::dyn_cast<llvm::AllocaInst>(base)) return slot->getAlign().value();
    if (const auto* literal = llvm::dyn_cast<llvm::GlobalVariable>(base))
      return literal->getPointerAlignment(module_.getDataLayout()).value();
    if (auto* load = llvm::dyn_cast<llvm::LoadInst>(base)) return alignment_behind(*load);
    auto* parameter = llvm::dyn_cast<llvm::Argument>(base);
    if (parameter == nullptr) return 1;
    // Else the context, or the slots of a phase.
    const auto found = parameters_.find(parameter);
    return found == parameters_.end() ? alignof(DlgContext) : found->second;
  }

  /// Of the pointer or number that is read: a field of the context, a slot of a phase, or the rows of one
  /// field of the data.
  std::uint64_t alignment_behind(llvm::LoadInst& load) {
    const auto [base, distance] = parts_of(load.getPointerOperand());
    const auto* offset = llvm::dyn_cast<llvm::SCEVConstant>(distance);
    if (offset == nullptr) return 1;
    const std::int64_t bytes = offset->getAPInt().getSExtValue();
    const bool is_pointer = load.getType()->isPointerTy();
    if (is_pointer && llvm::isa<llvm::LoadInst>(base))
      return data_alignment_.at(static_cast<std::size_t>(bytes) / sizeof(void*));
    if (!llvm::isa<llvm::Argument>(base)) return 1;
    if (parameters_.contains(llvm::cast<llvm::Argument>(base))) return 1;
    const auto phase = slots_.find(load.getFunction());
    return phase == slots_.end() ? known_or_one(kFieldAlignment, bytes) : known_or_one(phase->second, bytes);
  }

  static std::uint64_t known_or_one(const Slots& known, std::int64_t offset) {
    const auto found = known.find(offset);
    return found == known.end() ? 1 : found->second;
  }

  llvm::Module& module_;
  llvm::LoopAnalysisManager loops_;
  llvm::FunctionAnalysisManager functions_;
  llvm::CGSCCAnalysisManager sccs_;
  llvm::ModuleAnalysisManager modules_;
  llvm::ScalarEvolution* evolution_ = nullptr;
  std::vector<std::uint64_t> data_alignment_;
  std::map<llvm::Argument*, std::uint64_t> parameters_;
  std::map<const Value*, Slots> laid_;            // by the memory of the slots, as it is by now
  std::map<const llvm::Function*, Slots> slots_;  // what a phase finds at its arguments
};

std::int64_t slot_bytes(const llvm::Function& function) {
  const llvm::DataLayout& layout = function.getParent()->getDataLayout();
  std::int64_t bytes = 0;
  for (const llvm::Instruction& instruction : llvm::instructions(function)) {
    const auto* slot = llvm::dyn_cast<llvm::AllocaInst>(&instruction);
    if (slot == nullptr) continue;
    const llvm::TypeSize size = slot->getAllocationSize(layout).value();
    bytes += static_cast<std::int64_t>(llvm::alignTo(size.getFixedValue(), slot->getAlign()));
  }
  return bytes;
}

std::int64_t most_stack_bytes(const llvm::Module& module) {
  std::int64_t inlined = 0;
  std::int64_t most = 0;
  for (const llvm::Function& function : module) {
    const bool is_inlined = function.hasFnAttribute(llvm::Attribute::AlwaysInline);
    (is_inlined ? inlined : most) =
        is_inlined ? inlined + slot_bytes(function) : std::max(most, slot_bytes(function));
  }
  return std::max(most, slot_bytes(*module.getFunction(kEntryName)) + inlined);
}

}  // namespace

ModuleFacts module_facts(const loop::Program& program, Target target) {
  llvm::LLVMContext context;
  const std::unique_ptr<llvm::Module> module = emit_module(context, program, target_spec(target));
  ModuleFacts facts;
  AlignmentProof(program, *module).run(facts);
  facts.most_stack_bytes = most_stack_bytes(*module);
  return facts;
}

}  // namespace dlg
