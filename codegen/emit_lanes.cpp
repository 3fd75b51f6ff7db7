// Owns the emission of reductions: 16 lanes and a tree, as one vector or in memory.
#include "codegen/kernel_emitter.h"
#include "support/defects.h"

namespace dlg {

using llvm::Value;
using loop::Loop;
using loop::VarId;

llvm::Type* KernelEmitter::carried_type(const loop::Carried& carried, unsigned width) {
  llvm::Type* type = register_type(builder_.getContext(), elements_.dtype(carried.initial));
  return width == 1 ? type : llvm::FixedVectorType::get(type, width);
}

Value* KernelEmitter::lane_slot(Value* memory, const loop::Carried& carried, Value* lane) {
  return builder_.CreateInBoundsGEP(carried_type(carried, elements_.width()), memory, lane);
}

/// One iteration on lanes that live in memory.
void KernelEmitter::update_lane(const Loop& loop, const Values& memories, Value* at) {
  Value* lane = builder_.CreateAnd(at, i64(builder_, kReductionLanes - 1));
  elements_.set_var(loop.var, at);
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const loop::Carried& carried = loop.carried[i];
    elements_.set_reg(carried.current, slots_->load(carried_type(carried, elements_.width()),
                                                    lane_slot(memories[i], carried, lane)));
  }
  emit_body(loop.body);
  const Values next = carried_values(elements_, loop, &loop::Carried::next);
  for (std::size_t i = 0; i < memories.size(); ++i) {
    slots_->store(next[i], lane_slot(memories[i], loop.carried[i], lane));
  }
}

Values KernelEmitter::lane_memories(const Loop& loop) {
  Values memories;
  for (const loop::Carried& carried : loop.carried) {
    memories.push_back(
        slots_->take(llvm::ArrayType::get(carried_type(carried, elements_.width()), kReductionLanes),
                     loop.name + ".lanes"));
  }
  return memories;
}

/// Joins two sets of carried values through the loop's combine body.
Values KernelEmitter::combined(const Loop& loop, const Values& left, const Values& right) {
  set_carried(elements_, loop, &loop::Carried::left, left);
  set_carried(elements_, loop, &loop::Carried::right, right);
  emit_body(loop.combine);
  return carried_values(elements_, loop, &loop::Carried::combined);
}

/// Lanes beside each other in memory: for reductions inside a vector loop, and for bodies with loops of
/// their own.
void KernelEmitter::emit_lanes_in_memory(const Loop& loop) {
  const Values memories = lane_memories(loop);
  const Values initial = carried_values(elements_, loop, &loop::Carried::initial);
  for (unsigned lane = 0; lane < kReductionLanes; ++lane) {
    for (std::size_t i = 0; i < memories.size(); ++i) {
      slots_->store(initial[i], lane_slot(memories[i], loop.carried[i], i64(builder_, lane)));
    }
  }
  emit_around(loop, 0, {}, [&](const Values&) {
    emit_plain(builder_, bounds_->of(loop), 1, loop.name,
               [&](Value* at) { update_lane(loop, memories, at); });
    return Values{};
  });
  std::vector<Values> lanes;
  for (unsigned lane = 0; lane < kReductionLanes; ++lane) lanes.push_back(loaded_lane(loop, memories, lane));
  slots_->give_back(memories);
  set_carried(elements_, loop, &loop::Carried::result, joined_lanes(loop, std::move(lanes)));
}

/// The tree over sixteen sets of carried values.
Values KernelEmitter::joined_lanes(const Loop& loop, std::vector<Values> lanes) {
  for (unsigned half = kReductionLanes / 2; half > 0; half /= 2) {
    for (unsigned lane = 0; lane < half; ++lane)
      lanes[lane] = combined(loop, lanes[lane], lanes[lane + half]);
  }
  return lanes.front();
}

Values KernelEmitter::loaded_lane(const Loop& loop, const Values& memories, unsigned lane) {
  Values values;
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const loop::Carried& carried = loop.carried[i];
    values.push_back(slots_->load(carried_type(carried, elements_.width()),
                                  lane_slot(memories[i], carried, i64(builder_, lane))));
  }
  return values;
}

Values KernelEmitter::emit_around(const Loop& loop, std::size_t depth, const Values& carried,
                                  const std::function<Values(const Values&)>& body) {
  if (depth == loop.around.size()) return body(carried);
  const Loop& outer = loop.around[depth];
  const Bounds bounds = bounds_->of(outer);
  return emit_counted(builder_, {bounds.begin, bounds.end, 1, outer.name, carried},
                      [&](Value* at, const Values& now) {
                        elements_.set_var(outer.var, at);
                        return emit_around(loop, depth + 1, now, body);
                      });
}

/// Sixteen lanes in one vector: whole vectors of iterations, the rest lane by lane, then the tree by
/// halves.
void KernelEmitter::emit_lanes_as_vector(const Loop& loop) {
  Values initial;
  for (const loop::Carried& carried : loop.carried)
    initial.push_back(splat_to(builder_, elements_.reg(carried.initial), kReductionLanes));
  const bool is_known = loop.extent != kBatch && !loop.block.is_valid();
  const bool has_rest = !is_known || loop.extent % kReductionLanes != 0;
  Values lanes = emit_around(loop, 0, initial, [&](const Values& carried) {
    const Bounds bounds = bounds_->of(loop);
    Value* whole = whole_part(builder_, bounds.end, kReductionLanes);
    const Values now = whole_vectors(loop, {bounds.begin, whole}, carried);
    if (!has_rest || has_defect(Defect::kLostLaneTail)) return now;
    return is_known ? with_known_rest(loop, now) : with_rest(loop, now, {whole, bounds.end});
  });
  for (unsigned half = kReductionLanes / 2; half > 0; half /= 2) lanes = joined_halves(loop, lanes, half);
  set_carried(elements_, loop, &loop::Carried::result, lanes);
}

Values KernelEmitter::whole_vectors(const Loop& loop, const Bounds& bounds, const Values& lanes) {
  Values result;
  elements_.at_lanes({kReductionLanes, loop.var}, [&] {
    result = emit_counted(builder_, {bounds.begin, bounds.end, kReductionLanes, loop.name, lanes},
                          [&](Value* at, const Values& now) {
                            elements_.set_var(loop.var, at);
                            set_carried(elements_, loop, &loop::Carried::current, now);
                            emit_body(loop.body);
                            return carried_values(elements_, loop, &loop::Carried::next);
                          });
  });
  return result;
}

/// The iterations that do not fill a vector, all at once; the other lanes stay as they are.
Values KernelEmitter::with_known_rest(const Loop& loop, const Values& lanes) {
  const auto rest = static_cast<unsigned>(loop.extent % kReductionLanes);
  std::vector<int> chosen;
  for (unsigned lane = 0; lane < kReductionLanes; ++lane) {
    chosen.push_back(static_cast<int>(lane < rest ? lane : kReductionLanes + lane));
  }
  Values result;
  elements_.at_lanes({kReductionLanes, loop.var, rest}, [&] {
    elements_.set_var(loop.var, i64(builder_, loop.extent - rest));
    set_carried(elements_, loop, &loop::Carried::current, lanes);
    emit_body(loop.body);
    const Values next = carried_values(elements_, loop, &loop::Carried::next);
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      result.push_back(builder_.CreateShuffleVector(next[i], lanes[i], chosen));
    }
  });
  return result;
}

/// The iterations that do not fill a vector, one by one.
Values KernelEmitter::with_rest(const Loop& loop, const Values& lanes, const Bounds& rest) {
  return emit_counted(
      builder_, {rest.begin, rest.end, 1, loop.name + ".rest", lanes}, [&](Value* at, const Values& now) {
        Value* lane = builder_.CreateAnd(at, i64(builder_, kReductionLanes - 1));
        elements_.set_var(loop.var, at);
        for (std::size_t i = 0; i < now.size(); ++i)
          elements_.set_reg(loop.carried[i].current, builder_.CreateExtractElement(now[i], lane));
        emit_body(loop.body);
        Values next = carried_values(elements_, loop, &loop::Carried::next);
        for (std::size_t i = 0; i < now.size(); ++i)
          next[i] = builder_.CreateInsertElement(now[i], next[i], lane);
        return next;
      });
}

/// Joins lane j with lane j + half; at half = 1 the result is a scalar.
Values KernelEmitter::joined_halves(const Loop& loop, const Values& lanes, unsigned half) {
  Values left;
  Values right;
  for (Value* wide : lanes) {
    left.push_back(lane_range(builder_, wide, 0, half));
    right.push_back(lane_range(builder_, wide, half, half));
  }
  Values result;
  elements_.at_lanes({half}, [&] { result = combined(loop, left, right); });
  return result;
}

}  // namespace dlg
