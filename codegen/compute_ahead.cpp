#include "codegen/compute_ahead.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/LoopIterator.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace dlg {
namespace {

using llvm::Instruction;
using llvm::Value;

/// Of the functions that give their argument back, one for each type.
constexpr llvm::StringLiteral kMarkPrefix = "dlg.ahead.";

llvm::Function* mark_function(llvm::Module& module, llvm::Type* type) {
  std::string name = kMarkPrefix.str();
  llvm::raw_string_ostream(name) << *type;
  if (llvm::Function* known = module.getFunction(name)) return known;
  auto* function = llvm::Function::Create(llvm::FunctionType::get(type, {type}, false),
                                          llvm::Function::InternalLinkage, name, module);
  function->setDoesNotThrow();
  function->setDoesNotAccessMemory();
  function->setWillReturn();
  function->addFnAttr(llvm::Attribute::NoInline);
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(module.getContext(), "entry", function));
  builder.CreateRet(function->getArg(0));
  return function;
}

/// Null: `value` is no mark.
llvm::CallInst* as_mark(Value* value) {
  auto* call = llvm::dyn_cast<llvm::CallInst>(value);
  if (call == nullptr || call->getCalledFunction() == nullptr) return nullptr;
  return call->getCalledFunction()->getName().starts_with(kMarkPrefix) ? call : nullptr;
}

Value* without_marks(Value* value) {
  while (llvm::CallInst* mark = as_mark(value)) value = mark->getArgOperand(0);
  return value;
}

/// One loop, its marked values and what they are computed from, all in an order in which it can be computed.
class Carrier {
 public:
  Carrier(llvm::Loop& loop, llvm::LoopInfo& loops) : loop_(loop) {
    llvm::LoopBlocksRPO blocks(&loop);
    blocks.perform(&loops);
    for (llvm::BasicBlock* block : blocks) {
      if (loops.getLoopFor(block) != &loop) continue;
      for (Instruction& instruction : *block) instructions_.push_back(&instruction);
    }
  }

  void run() {
    for (Instruction* instruction : instructions_) {
      llvm::CallInst* mark = as_mark(instruction);
      if (mark != nullptr && collect_links(mark)) marks_.push_back(mark);
    }
    if (!marks_.empty()) carry();
  }

 private:
  /// What a mark is computed from in an iteration. False: not from the beginning of the iteration alone.
  bool collect_links(Value* mark) {
    std::set<Instruction*> found;
    std::vector<Value*> left{mark};
    while (!left.empty()) {
      Value* value = without_marks(left.back());
      left.pop_back();
      auto* link = llvm::dyn_cast<Instruction>(value);
      if (loop_.isLoopInvariant(value) || is_initial(*link) || !found.insert(link).second) continue;
      const bool is_pure = !llvm::isa<llvm::PHINode>(link) && !link->mayReadOrWriteMemory() &&
                           llvm::isSafeToSpeculativelyExecute(link);
      if (!is_pure) return false;
      left.insert(left.end(), link->op_begin(), link->op_end());
    }
    links_.insert(found.begin(), found.end());
    return true;
  }

  bool is_initial(const Instruction& instruction) const {
    return llvm::isa<llvm::PHINode>(instruction) && instruction.getParent() == loop_.getHeader();
  }

  using Copies = std::map<Value*, Value*>;

  static Value* copy_of(const Copies& copies, Value* value) {
    const auto found = copies.find(without_marks(value));
    return found == copies.end() ? without_marks(value) : found->second;
  }

  /// The links once more at the end of `block`, for the iteration that begins behind it.
  Copies copied(llvm::BasicBlock& block) {
    Copies copies;
    for (llvm::PHINode& initial : loop_.getHeader()->phis()) {
      copies[&initial] = initial.getIncomingValueForBlock(&block);
    }
    for (Instruction* link : instructions_) {
      if (!links_.contains(link)) continue;
      Instruction* copy = link->clone();
      copy->insertInto(&block, block.getTerminator()->getIterator());
      for (llvm::Use& operand : copy->operands()) operand.set(copy_of(copies, operand.get()));
      copies[link] = copy;
    }
    return copies;
  }

  void carry() {
    llvm::BasicBlock& before = *loop_.getLoopPreheader();
    llvm::BasicBlock& latch = *loop_.getLoopLatch();
    const Copies first = copied(before);
    const Copies later = copied(latch);
    llvm::IRBuilder<> builder(&loop_.getHeader()->front());
    for (llvm::CallInst* mark : marks_) {
      llvm::PHINode* carried = builder.CreatePHI(mark->getType(), 2);
      carried->addIncoming(copy_of(first, mark), &before);
      carried->addIncoming(copy_of(later, mark), &latch);
      mark->replaceAllUsesWith(carried);
      mark->eraseFromParent();
    }
    for (Instruction* link : llvm::reverse(instructions_)) {
      if (links_.contains(link) && link->use_empty()) link->eraseFromParent();
    }
  }

  llvm::Loop& loop_;
  std::vector<Instruction*> instructions_;
  std::vector<llvm::CallInst*> marks_;
  std::set<Instruction*> links_;
};

/// Every value that is still marked is computed where it stands.
void remove_marks(llvm::Module& module) {
  std::vector<llvm::Function*> functions;
  for (llvm::Function& function : module) {
    if (function.getName().starts_with(kMarkPrefix)) functions.push_back(&function);
  }
  for (llvm::Function* function : functions) {
    for (llvm::User* user : llvm::make_early_inc_range(function->users())) {
      auto* mark = llvm::cast<llvm::CallInst>(user);
      mark->replaceAllUsesWith(mark->getArgOperand(0));
      mark->eraseFromParent();
    }
    function->eraseFromParent();
  }
}

}  // namespace

Value* marked_ahead(llvm::IRBuilder<>& builder, Value* value) {
  llvm::Module& module = *builder.GetInsertBlock()->getModule();
  return builder.CreateCall(mark_function(module, value->getType()), {value});
}

void compute_ahead(llvm::Function& entry) {
  const llvm::DominatorTree dominators(entry);
  llvm::LoopInfo loops(dominators);
  for (llvm::Loop* loop : loops.getLoopsInPreorder()) {
    if (loop->getLoopPreheader() != nullptr && loop->getLoopLatch() != nullptr) Carrier(*loop, loops).run();
  }
  remove_marks(*entry.getParent());
}

}  // namespace dlg
