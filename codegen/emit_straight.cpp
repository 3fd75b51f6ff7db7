// Owns the loops of a straight step: written out, one iteration after the other.
#include "codegen/kernel_emitter.h"

namespace dlg {

using loop::Loop;
using loop::LoopKind;

namespace {

/// Whether the iterations are independent and no loop inside has such iterations too.
bool is_innermost(const Loop& loop) {
  return loop::is_independent(loop.kind) &&
         std::none_of(loop.body.begin(), loop.body.end(), [](const auto& s) {
           return !s.loop.empty() && loop::is_independent(s.loop.front().kind);
         });
}

}  // namespace

/// The bounds are numbers: the batch is whole, and variables of blocks are numbers too.
void KernelEmitter::emit_straight(const Loop& loop) {
  const Bounds bounds = bounds_of(loop);
  const std::int64_t begin = llvm::cast<llvm::ConstantInt>(bounds.begin)->getSExtValue();
  const std::int64_t end = llvm::cast<llvm::ConstantInt>(bounds.end)->getSExtValue();
  if (loop.kind == LoopKind::kLanes) {
    emit_unrolled_lanes(loop, begin, end);
  } else if (is_innermost(loop) && elements_.width() == 1) {
    emit_unrolled_vector(loop, begin, end);
  } else {
    emit_unrolled(loop, begin, end);
  }
}

/// Whole vectors as far as they go, then ever shorter ones: two elements side by side cost what one does.
void KernelEmitter::emit_unrolled_vector(const Loop& loop, std::int64_t begin, std::int64_t end) {
  for (std::int64_t width = unit_.bytes / widest_element(loop.body); begin < end; width /= 2) {
    elements_.at_lanes({static_cast<unsigned>(width), loop.var}, [&] {
      for (; begin + width <= end; begin += width) {
        elements_.set_var(loop.var, i64(begin));
        emit_body(loop.body);
      }
    });
  }
}

void KernelEmitter::emit_unrolled(const Loop& loop, std::int64_t begin, std::int64_t end) {
  block_steps_[loop.var] = loop.step;
  Values values = wide_values(loop, &loop::Carried::initial);
  for (std::int64_t at = begin; at < end; at += loop.step) {
    set_carried(loop, &loop::Carried::current, values);
    elements_.set_var(loop.var, i64(at));
    emit_body(loop.body);
    values = wide_values(loop, &loop::Carried::next);
  }
  set_carried(loop, &loop::Carried::result, values);
}

/// Sixteen lanes as values of their own. Lanes that no iteration reaches hold the initial value, which the
/// tree joins like any other; LLVM drops what that does not change.
void KernelEmitter::emit_unrolled_lanes(const Loop& loop, std::int64_t begin, std::int64_t end) {
  std::vector<Values> lanes(kReductionLanes, wide_values(loop, &loop::Carried::initial));
  for (std::int64_t at = begin; at < end; ++at) {
    Values& lane = lanes[static_cast<std::size_t>(at % kReductionLanes)];
    set_carried(loop, &loop::Carried::current, lane);
    elements_.set_var(loop.var, i64(at));
    emit_body(loop.body);
    lane = wide_values(loop, &loop::Carried::next);
  }
  set_carried(loop, &loop::Carried::result, joined_lanes(loop, std::move(lanes)));
}

}  // namespace dlg
