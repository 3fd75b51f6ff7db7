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

/// What a field of DlgContext points to is a multiple of, by its index; the fields that are numbers have
/// none.
const std::map<std::int64_t, std::uint64_t> kFieldAlignment{
    {offsetof(DlgContext, arena), 64},  {offsetof(DlgContext, state), 64},
    {offsetof(DlgContext, output), 64}, {offsetof(DlgContext, data), 8},
    {offsetof(DlgContext, hypers), 8},  {offsetof(DlgContext, order), 8},
    {offsetof(DlgContext, losses), 8},  {offsetof(DlgContext, stop_flag), 4},
    {offsetof(DlgContext, scratch), 64}};

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

  void run(ModuleFacts& facts) {
    look_at(*module_.getFunction(kEntryName), facts);
    for (llvm::Function& function : module_) {
      if (!function.isDeclaration() && function.getName() != kEntryName) look_at(function, facts);
    }
  }

 private:
  void look_at(llvm::Function& function, ModuleFacts& facts) {
    evolution_ = &functions_.getResult<llvm::ScalarEvolutionAnalysis>(function);
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
      if (const auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction)) note_arguments(*call);
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

  /// The entry calls every kernel by its name, whether workers make it or not: there its buffers begin.
  void note_arguments(const llvm::CallInst& call) {
    llvm::Function* callee = call.getCalledFunction();
    if (callee == nullptr || callee->isDeclaration() || call.getFunction()->getName() != kEntryName) return;
    for (llvm::Argument& parameter : callee->args()) {
      if (!parameter.getType()->isPointerTy()) continue;
      const std::uint64_t here = proved(call.getArgOperand(parameter.getArgNo()));
      const auto [found, is_new] = parameters_.try_emplace(&parameter, here);
      if (!is_new) found->second = std::min(found->second, here);
    }
  }

  std::uint64_t proved(Value* pointer) {
    const auto [base, distance] = parts_of(pointer);
    const std::uint32_t zeros = std::min(evolution_->getMinTrailingZeros(distance), 12U);
    return std::min(alignment_of(base), std::uint64_t{1} << zeros);
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
    if (const auto found = parameters_.find(base); found != parameters_.end()) return found->second;
    // The context, and the arguments of a phase.
    return llvm::isa<llvm::Argument>(base) ? alignof(DlgContext) : 1;
  }

  /// Of the pointer that is read: a field of the context, or the rows of one field of the data.
  std::uint64_t alignment_behind(llvm::LoadInst& load) {
    const auto [base, distance] = parts_of(load.getPointerOperand());
    const auto* offset = llvm::dyn_cast<llvm::SCEVConstant>(distance);
    if (offset == nullptr) return 1;
    const std::int64_t bytes = offset->getAPInt().getSExtValue();
    if (llvm::isa<llvm::LoadInst>(base))
      return data_alignment_.at(static_cast<std::size_t>(bytes) / sizeof(void*));
    const auto found = kFieldAlignment.find(bytes);
    return llvm::isa<llvm::Argument>(base) && found != kFieldAlignment.end() ? found->second : 1;
  }

  llvm::Module& module_;
  llvm::LoopAnalysisManager loops_;
  llvm::FunctionAnalysisManager functions_;
  llvm::CGSCCAnalysisManager sccs_;
  llvm::ModuleAnalysisManager modules_;
  llvm::ScalarEvolution* evolution_ = nullptr;
  std::vector<std::uint64_t> data_alignment_;
  std::map<const Value*, std::uint64_t> parameters_;
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
