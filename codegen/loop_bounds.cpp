#include "codegen/loop_bounds.h"

#include "support/defects.h"

namespace dlg {

using llvm::Value;
using loop::Loop;

Value* LoopBounds::extent(const Loop& loop) {
  return loop.extent == kBatch ? call_.rows : i64(builder_, loop.extent);
}

Bounds LoopBounds::of(const Loop& loop) {
  Value* end = extent(loop);
  if (is_divided(loop)) return share_of(end, 1);
  if (!loop.block.is_valid()) return {i64(builder_, 0), end};
  Value* begin = elements_.var(loop.block);
  Value* block_end = builder_.CreateAdd(begin, i64(builder_, block_steps_.at(loop.block)));
  return {begin, smaller(builder_, block_end, end)};
}

loop::Share LoopBounds::division(const Loop& loop) const {
  const bool is_whole_kernel = call_.workers != nullptr && &loop == kernel_.body.back().loop.data();
  return is_whole_kernel ? kernel_.share : loop::Share::kNothing;
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
