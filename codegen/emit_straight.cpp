// Owns the bodies of a straight step: loops written out, one iteration after the other, and functions of the
// same name side by side.
#include <set>

#include "codegen/kernel_emitter.h"
#include "codegen/maths_emitter.h"

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

/// The functions of `body` that can be computed when `body[first]` is: the same op, and nothing that they
/// read is defined from there on. A vector of them costs what one does.
std::vector<const loop::Instruction*> alike(const loop::Body& body, std::size_t first) {
  const loop::Instruction& model = *body[first].instruction;
  std::vector<const loop::Instruction*> found;
  std::set<loop::RegId> later;
  for (const loop::Statement& statement : std::span(body).subspan(first)) {
    for (const Loop& loop : statement.loop) {
      for (const loop::Carried& carried : loop.carried) later.insert(carried.result);
    }
    if (!statement.instruction) continue;
    const loop::Instruction& instruction = *statement.instruction;
    const bool is_known = std::none_of(instruction.args.begin(), instruction.args.end(),
                                       [&](loop::RegId arg) { return later.contains(arg); });
    if (instruction.op == model.op && instruction.dtype == model.dtype && is_known)
      found.push_back(&instruction);
    later.insert(instruction.result);
  }
  return found;
}

}  // namespace

void KernelEmitter::emit_straight_body(const loop::Body& body) {
  std::set<const loop::Instruction*> done;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const auto& instruction = body[i].instruction;
    if (!instruction || !has_maths(instruction->op)) {
      emit_statement(body[i]);
      continue;
    }
    if (done.contains(&*instruction)) continue;
    const std::vector<const loop::Instruction*> together = alike(body, i);
    if (together.size() == 1) {
      emit_statement(body[i]);
    } else {
      elements_.emit_together(together);
    }
    done.insert(together.begin(), together.end());
  }
}

KernelEmitter::KnownBounds KernelEmitter::known_bounds(const Loop& loop) {
  const Bounds bounds = bounds_->of(loop);
  return {llvm::cast<llvm::ConstantInt>(bounds.begin)->getSExtValue(),
          llvm::cast<llvm::ConstantInt>(bounds.end)->getSExtValue()};
}

void KernelEmitter::emit_straight(const Loop& loop) {
  const auto [begin, end] = known_bounds(loop);
  if (loop.kind == LoopKind::kLanes) {
    emit_unrolled_lanes(loop);
  } else if (is_innermost(loop) && elements_.width() == 1) {
    emit_unrolled_vector(loop, begin, end);
  } else {
    emit_unrolled(loop, begin, end);
  }
}

/// Whole vectors as far as they go, then ever shorter ones: two elements side by side cost what one does.
void KernelEmitter::emit_unrolled_vector(const Loop& loop, std::int64_t begin, std::int64_t end) {
  for (std::int64_t width = core_.vector_bytes / loop::widest_element(loop.body); begin < end; width /= 2) {
    elements_.at_lanes({static_cast<unsigned>(width), loop.var}, [&] {
      for (; begin + width <= end; begin += width) {
        elements_.set_var(loop.var, i64(builder_, begin));
        emit_body(loop.body);
      }
    });
  }
}

void KernelEmitter::emit_unrolled(const Loop& loop, std::int64_t begin, std::int64_t end) {
  bounds_->set_block_step(loop);
  Values values = carried_values(elements_, loop, &loop::Carried::initial);
  for (std::int64_t at = begin; at < end; at += loop.step) {
    set_carried(elements_, loop, &loop::Carried::current, values);
    elements_.set_var(loop.var, i64(builder_, at));
    emit_body(loop.body);
    values = carried_values(elements_, loop, &loop::Carried::next);
  }
  set_carried(elements_, loop, &loop::Carried::result, values);
}

/// Sixteen lanes as values of their own. Lanes that no iteration reaches hold the initial value, which the
/// tree joins like any other; LLVM drops what that does not change.
void KernelEmitter::emit_unrolled_lanes(const Loop& loop) {
  std::vector<Values> lanes(kReductionLanes, carried_values(elements_, loop, &loop::Carried::initial));
  unroll_lanes(loop, 0, lanes);
  set_carried(elements_, loop, &loop::Carried::result, joined_lanes(loop, std::move(lanes)));
}

/// The iterations from the loop at `depth` of those around on.
void KernelEmitter::unroll_lanes(const Loop& loop, std::size_t depth, std::vector<Values>& lanes) {
  const bool is_around = depth < loop.around.size();
  const Loop& own = is_around ? loop.around[depth] : loop;
  const auto [begin, end] = known_bounds(own);
  for (std::int64_t at = begin; at < end; ++at) {
    elements_.set_var(own.var, i64(builder_, at));
    if (is_around) {
      unroll_lanes(loop, depth + 1, lanes);
      continue;
    }
    Values& lane = lanes[static_cast<std::size_t>(at % kReductionLanes)];
    set_carried(elements_, loop, &loop::Carried::current, lane);
    emit_body(loop.body);
    lane = carried_values(elements_, loop, &loop::Carried::next);
  }
}

}  // namespace dlg
