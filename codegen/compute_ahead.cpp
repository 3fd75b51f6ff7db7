#include "codegen/compute_ahead.h"

#include <llvm/ADT/SetVector.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/LoopIterator.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Instructions.h>

#include <algorithm>
#include <map>
#include <vector>

namespace dlg {
namespace {

using llvm::Instruction;
using llvm::Value;

/// Fewer instructions are done before anybody waits for them.
constexpr std::size_t kFewest = 16;

/// A counter of a loop and what follows from it alone, in an order in which it can be computed.
struct Chain {
  llvm::PHINode* counter = nullptr;
  Instruction* next = nullptr;  // what the counter becomes; part of the chain
  llvm::SetVector<Instruction*> links;
};

Chain chain_of(llvm::Loop& loop, const llvm::LoopBlocksRPO& blocks, llvm::PHINode& counter) {
  Chain chain{
      &counter, llvm::dyn_cast<Instruction>(counter.getIncomingValueForBlock(loop.getLoopLatch())), {}};
  const auto is_known = [&](const llvm::Use& operand) {
    auto* inner = llvm::dyn_cast<Instruction>(operand.get());
    return loop.isLoopInvariant(operand) || inner == &counter || chain.links.contains(inner);
  };
  for (llvm::BasicBlock* block : blocks) {
    for (Instruction& instruction : *block) {
      const bool is_pure = !llvm::isa<llvm::PHINode>(instruction) && !instruction.mayReadOrWriteMemory() &&
                           llvm::isSafeToSpeculativelyExecute(&instruction);
      if (is_pure && std::all_of(instruction.op_begin(), instruction.op_end(), is_known))
        chain.links.insert(&instruction);
    }
  }
  return chain;
}

/// The chain once more at the end of `block`, from `at` on. Answers what each link has become.
std::map<Value*, Value*> copied(const Chain& chain, Value* at, llvm::BasicBlock& block) {
  std::map<Value*, Value*> copies{{chain.counter, at}};
  for (Instruction* link : chain.links) {
    Instruction* copy = link->clone();
    copy->insertInto(&block, block.getTerminator()->getIterator());
    for (llvm::Use& operand : copy->operands()) {
      if (const auto found = copies.find(operand.get()); found != copies.end()) operand.set(found->second);
    }
    copies[link] = copy;
  }
  return copies;
}

/// Whoever reads a link from outside of the chain gets what the iteration before has computed.
void move_ahead(llvm::Loop& loop, const Chain& chain) {
  llvm::BasicBlock& before = *loop.getLoopPreheader();
  llvm::BasicBlock& latch = *loop.getLoopLatch();
  const auto first = copied(chain, chain.counter->getIncomingValueForBlock(&before), before);
  const auto later = copied(chain, chain.next, latch);
  const auto is_outside = [&](const llvm::Use& use) {
    return !chain.links.contains(llvm::cast<Instruction>(use.getUser()));
  };
  for (Instruction* link : chain.links) {
    if (link == chain.next || std::none_of(link->use_begin(), link->use_end(), is_outside)) continue;
    llvm::IRBuilder<> builder(&loop.getHeader()->front());
    llvm::PHINode* ahead = builder.CreatePHI(link->getType(), 2);
    ahead->addIncoming(first.at(link), &before);
    ahead->addIncoming(later.at(link), &latch);
    link->replaceUsesWithIf(ahead, is_outside);
  }
  for (Instruction* link : llvm::reverse(chain.links)) {
    if (link->use_empty()) link->eraseFromParent();
  }
}

void move_chains_ahead(llvm::Loop& loop, llvm::LoopInfo& loops) {
  if (loop.getLoopPreheader() == nullptr || loop.getLoopLatch() == nullptr) return;
  std::vector<llvm::PHINode*> counters;
  for (llvm::PHINode& phi : loop.getHeader()->phis()) counters.push_back(&phi);
  llvm::LoopBlocksRPO blocks(&loop);
  blocks.perform(&loops);
  for (llvm::PHINode* counter : counters) {
    const Chain chain = chain_of(loop, blocks, *counter);
    if (chain.links.size() >= kFewest && chain.links.contains(chain.next)) move_ahead(loop, chain);
  }
}

}  // namespace

void compute_ahead(llvm::Function& function) {
  const llvm::DominatorTree dominators(function);
  llvm::LoopInfo loops(dominators);
  for (llvm::Loop* loop : loops.getLoopsInPreorder()) {
    if (loop->isInnermost()) move_chains_ahead(*loop, loops);
  }
}

}  // namespace dlg
