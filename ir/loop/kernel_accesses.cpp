#include "ir/loop/kernel_accesses.h"

#include <algorithm>

#include "ir/loop/affine_bounds.h"

namespace dlg::loop {
namespace {

/// Recursion follows the loop nest, whose depth the verifier bounds.
class Walk {
 public:
  void run(const Body& body) {
    for (const Statement& statement : body) {
      if (statement.instruction && statement.instruction->op == Op::kLoad) add(*statement.instruction);
      if (statement.store) add(*statement.store);
      for (const Loop& loop : statement.loop) {
        open_.push_back(&loop);
        run(loop.body);
        open_.pop_back();
      }
    }
  }

  Accesses found;

 private:
  void add(const Instruction& load) {
    found.loads.push_back({load.buffer, &load.indices, open_, place_++, load.value});
  }
  void add(const StoreInstruction& store) {
    found.stores.push_back({store.buffer, &store.indices, open_, place_++, {}});
  }

  std::vector<const Loop*> open_;
  std::size_t place_ = 0;
};

/// Whether the loop makes every iteration from 0 to its extent, in one go.
bool is_plain(const Loop& loop) {
  return loop.kind != LoopKind::kLanes && loop.step == 1 && !loop.block.is_valid() && !has_bounds(loop);
}

/// The innermost loop of a variable.
const Loop* loop_of(const std::vector<const Loop*>& loops, VarId var) {
  const auto found =
      std::find_if(loops.rbegin(), loops.rend(), [&](const Loop* loop) { return loop->var == var; });
  return found == loops.rend() ? nullptr : *found;
}

}  // namespace

Accesses accesses_of(const Kernel& kernel) {
  Walk walk;
  walk.run(kernel.body);
  return std::move(walk.found);
}

bool fills_buffer(const Access& store, const Buffer& buffer) {
  std::vector<const Loop*> used;
  for (std::size_t axis = 0; axis < store.indices->size(); ++axis) {
    const Index& index = (*store.indices)[axis];
    const std::int64_t extent = buffer.type.shape[axis];
    if (index.dynamic.is_valid() || index.offset != 0 || index.terms.size() > 1) return false;
    if (index.terms.empty() && extent != 1) return false;
    if (index.terms.empty()) continue;
    const Loop* loop = loop_of(store.loops, index.terms.front().var);
    const bool runs_over_axis =
        loop != nullptr && index.terms.front().factor == 1 && is_plain(*loop) && loop->extent == extent;
    if (!runs_over_axis || std::find(used.begin(), used.end(), loop) != used.end()) return false;
    used.push_back(loop);
  }
  return used.size() == store.loops.size();
}

bool reads_before_store(const Access& load, const Access& store) {
  return load.buffer == store.buffer && *load.indices == *store.indices && load.place < store.place &&
         load.loops.size() >= store.loops.size() &&
         std::equal(store.loops.begin(), store.loops.end(), load.loops.begin());
}

}  // namespace dlg::loop
