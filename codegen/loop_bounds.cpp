#include "codegen/loop_bounds.h"

#include "ir/loop/nest.h"
#include "support/defects.h"

namespace dlg {

using llvm::Value;
using loop::Loop;

Value* LoopBounds::extent(const Loop& loop) {
  return loop.extent == kBatch ? call_.rows : i64(builder_, loop.extent);
}

Bounds LoopBounds::of(const Loop& loop) {
  Bounds range = without_bounds(loop);
  for (const loop::Bound& bound : loop.lower) {
    // Rounded up.
    Value* sum = builder_.CreateAdd(sum_of(bound), i64(builder_, bound.divisor - 1));
    range.begin = larger(builder_, range.begin, divided(sum, bound.divisor));
  }
  for (const loop::Bound& bound : loop.upper)
    range.end = smaller(builder_, range.end, divided(sum_of(bound), bound.divisor));
  return range;
}

/// Truncated, which is rounded down from 0 on. Below 0 rounding does not matter: no loop begins there, and
/// one that ends there is empty, as is one that ends at 0.
Value* LoopBounds::divided(Value* sum, std::int64_t divisor) {
  return divisor == 1 ? sum : builder_.CreateSDiv(sum, i64(builder_, divisor));
}

Value* LoopBounds::sum_of(const loop::Bound& bound) {
  Value* sum = i64(builder_, bound.value.offset);
  for (const loop::Index::Term& term : bound.value.terms) {
    Value* product = builder_.CreateMul(elements_.var(term.var), i64(builder_, term.factor));
    sum = builder_.CreateAdd(sum, product);
  }
  if (bound.rows == 0) return sum;
  return builder_.CreateAdd(sum, builder_.CreateMul(call_.rows, i64(builder_, bound.rows)));
}

Bounds LoopBounds::without_bounds(const Loop& loop) {
  Value* end = extent(loop);
  if (division(loop) == loop::Share::kPairs) return share_of_pairs(loop);
  if (is_divided(loop)) return share_of(end, 1);
  if (!loop.block.is_valid()) return {i64(builder_, 0), end};
  Value* begin = elements_.var(loop.block);
  Value* block_end = builder_.CreateAdd(begin, i64(builder_, block_steps_.at(loop.block)));
  return {begin, smaller(builder_, block_end, end)};
}

loop::Share LoopBounds::division(const Loop& loop) const {
  if (call_.workers == nullptr) return loop::Share::kNothing;
  const bool is_whole_kernel = &loop == kernel_.body.back().loop.data();
  const bool is_in_pairs =
      kernel_.share == loop::Share::kPairs && &loop == loop::inner_of_pairs(kernel_.body);
  return is_whole_kernel || is_in_pairs ? kernel_.share : loop::Share::kNothing;
}

/// Pairs lie one behind the other, those of the first iteration of the outer loop first: a worker begins and
/// ends in the middle of one.
Bounds LoopBounds::share_of_pairs(const Loop& loop) {
  const Loop& outer = kernel_.body.back().loop.front();
  Value* length = extent(*loop::inner_of_pairs(kernel_.body));
  const Bounds pairs = share_of(builder_.CreateMul(extent(outer), length), 1);
  if (&loop == &outer) {
    Value* last = builder_.CreateAdd(pairs.end, builder_.CreateSub(length, i64(builder_, 1)));
    return {builder_.CreateUDiv(pairs.begin, length), builder_.CreateUDiv(last, length)};
  }
  Value* first = builder_.CreateMul(elements_.var(outer.var), length);
  return {larger(builder_, builder_.CreateSub(pairs.begin, first), i64(builder_, 0)),
          smaller(builder_, builder_.CreateSub(pairs.end, first), length)};
}

Bounds LoopBounds::share_of(Value* end, std::int64_t unit) {
  Value* units = builder_.CreateUDiv(builder_.CreateAdd(end, i64(builder_, unit - 1)), i64(builder_, unit));
  const bool is_lost = has_defect(Defect::kLostShare);
  const auto border = [&](Value* worker) {
    Value* first = is_lost ? builder_.CreateMul(builder_.CreateUDiv(units, call_.workers), worker)
                           : builder_.CreateUDiv(builder_.CreateMul(units, worker), call_.workers);
    return smaller(builder_, builder_.CreateMul(first, i64(builder_, unit)), end);
  };
  return {border(call_.worker), border(builder_.CreateAdd(call_.worker, i64(builder_, 1)))};
}

Value* LoopBounds::end_of(const loop::Panel& panel) {
  return panel.end == kBatch ? whole_part(builder_, call_.rows, panel.width) : i64(builder_, panel.end);
}

}  // namespace dlg
