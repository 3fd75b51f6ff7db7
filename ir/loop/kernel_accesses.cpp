#include "ir/loop/kernel_accesses.h"

#include <algorithm>

#include "ir/loop/affine_bounds.h"
#include "support/arithmetic.h"

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

/// Whether the loop goes from 0 to its extent in one go; bounds may leave iterations out.
bool is_plain_but_for_bounds(const Loop& loop) {
  return loop.kind != LoopKind::kLanes && loop.step == 1 && !loop.block.is_valid();
}

/// Whether it makes all of them.
bool is_plain(const Loop& loop) {
  return is_plain_but_for_bounds(loop) && !has_bounds(loop);
}

/// The innermost loop of a variable.
const Loop* loop_of(const std::vector<const Loop*>& loops, VarId var) {
  const auto found =
      std::find_if(loops.rbegin(), loops.rend(), [&](const Loop* loop) { return loop->var == var; });
  return found == loops.rend() ? nullptr : *found;
}

/// Whether the loop leaves out all points at which `index` reaches `extent`, and nothing else: its one bound
/// is what the other terms leave of the extent.
bool ends_with_axis(const Loop& loop, const Index& index, std::int64_t extent) {
  if (!loop.lower.empty() || loop.upper.size() != 1) return false;
  Index rest{.terms = {}, .dynamic = {}, .offset = extent};
  for (const Index::Term& term : index.terms) {
    if (term.var != loop.var) rest.terms.push_back({term.var, -term.factor});
  }
  const Bound& bound = loop.upper.front();
  return bound.divisor == 1 && bound.rows == 0 && bound.value == rest;
}

/// Whether an index, its terms from the largest factor on, takes each value from 0 to the extent once: a loop
/// over the axis, or loops that count through it like digits, as 8*oo + o does in blocks of 8. The last block
/// may be ragged. Notes the loops.
bool counts_through(const Index& index, std::int64_t extent, const std::vector<const Loop*>& loops,
                    std::vector<const Loop*>& used) {
  if (index.dynamic.is_valid() || index.offset != 0) return false;
  std::int64_t step = 1;
  bool is_ragged = false;
  for (std::size_t i = index.terms.size(); i-- > 0;) {
    const Index::Term& term = index.terms[i];
    const Loop* loop = loop_of(loops, term.var);
    if (loop == nullptr || term.factor != step || std::ranges::find(used, loop) != used.end()) return false;
    const bool is_in_block = index.terms.size() > 1 && i + 1 == index.terms.size();
    const bool ends = is_in_block && is_plain_but_for_bounds(*loop) && ends_with_axis(*loop, index, extent);
    if (!is_plain(*loop) && !ends) return false;
    is_ragged |= ends;
    used.push_back(loop);
    if (index.terms.size() == 1) return loop->extent == extent;
    if (loop->extent == kBatch || extent == kBatch) return false;
    step = saturated_mul(step, loop->extent);
  }
  return is_ragged ? step >= extent : step == extent;
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
    if (!counts_through((*store.indices)[axis], buffer.type.shape[axis], store.loops, used)) return false;
  }
  return used.size() == store.loops.size();
}

bool reads_before_store(const Access& load, const Access& store) {
  return load.buffer == store.buffer && *load.indices == *store.indices && load.place < store.place &&
         load.loops.size() >= store.loops.size() &&
         std::equal(store.loops.begin(), store.loops.end(), load.loops.begin());
}

}  // namespace dlg::loop
