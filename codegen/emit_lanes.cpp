#include "codegen/emit_lanes.h"

#include "codegen/carried_values.h"
#include "codegen/emit.h"
#include "codegen/emit_loops.h"
#include "codegen/scalar_emitter.h"
#include "ir/loop/affine_bounds.h"
#include "ir/loop/nest.h"
#include "support/defects.h"

namespace dlg {

using llvm::Value;
using loop::Loop;

namespace {

/// More lanes than this do not stay in registers at the widths of panels.
constexpr std::int64_t kLanesInRegisters = 4;

/// One loop of lanes.
class LaneReduction {
 public:
  LaneReduction(const KernelSite& site, const Loop& loop)
      : site_(site), builder_(site.builder), elements_(site.elements), loop_(loop) {}

  /// Lanes beside each other in memory: for reductions inside a vector loop, and for bodies with loops of
  /// their own.
  void emit_in_memory();
  /// The same where only few lanes are used, as by the windows of a pool: each of them in registers.
  void emit_in_registers();
  /// Sixteen lanes in one vector: whole vectors of iterations, the rest lane by lane, then the tree by
  /// halves.
  void emit_as_vector();
  Values joined(std::vector<Values> lanes);

 private:
  using AroundBody = std::function<Values(const Values& carried)>;
  /// The loops around the lanes, from that at `depth` on; `body` gets what they carry and answers it anew.
  Values emit_around(std::size_t depth, const Values& carried, const AroundBody& body);
  Values combined(const Values& left, const Values& right);

  Values take_memories();
  llvm::Type* type_of(const loop::Carried& carried);
  Value* lane_place(Value* memory, const loop::Carried& carried, Value* lane);
  Values load_lane(const Values& memories, Value* lane);
  void store_lane(const Values& memories, Value* lane, const Values& values);
  void update_lane(const Values& memories, Value* at);

  Values after_whole_vectors(const Bounds& bounds, const Values& lanes);
  Values after_known_rest(const Values& lanes);
  Values after_rest(const Values& lanes, const Bounds& rest);
  Values after_bounded(const Values& lanes, const Bounds& range);
  Values joined_halves(const Values& lanes, unsigned half);

  const KernelSite& site_;
  llvm::IRBuilder<>& builder_;
  ElementEmitter& elements_;
  const Loop& loop_;
};

Values LaneReduction::emit_around(std::size_t depth, const Values& carried, const AroundBody& body) {
  if (depth == loop_.around.size()) return body(carried);
  const Loop& outer = loop_.around[depth];
  const Bounds bounds = site_.bounds.of(outer);
  const CountedLoop counted{bounds.begin, bounds.end, 1, outer.name, carried};
  return emit_counted(builder_, counted, [&](Value* at, const Values& now) {
    elements_.set_var(outer.var, at);
    return emit_around(depth + 1, now, body);
  });
}

/// Joins two sets of carried values through the loop's combine body.
Values LaneReduction::combined(const Values& left, const Values& right) {
  set_tile_values(elements_, loop_, &loop::Carried::left, left);
  set_tile_values(elements_, loop_, &loop::Carried::right, right);
  emit_body(site_, loop_.combine);
  return tile_values(elements_, loop_, &loop::Carried::combined);
}

/// Pairs that are the same, as those of lanes that nothing has reached, are joined once.
Values LaneReduction::joined(std::vector<Values> lanes) {
  for (unsigned half = kReductionLanes / 2; half > 0; half /= 2) {
    std::vector<Values> next;
    for (unsigned lane = 0; lane < half; ++lane) {
      const bool is_known =
          lane > 0 && lanes[lane] == lanes[lane - 1] && lanes[lane + half] == lanes[lane + half - 1];
      next.push_back(is_known ? next.back() : combined(lanes[lane], lanes[lane + half]));
    }
    lanes = std::move(next);
  }
  return lanes.front();
}

void LaneReduction::emit_in_registers() {
  const Values initial = carried_values(elements_, loop_, &loop::Carried::initial);
  const auto width = static_cast<std::ptrdiff_t>(initial.size());
  Values start;
  for (std::int64_t lane = 0; lane < loop_.extent; ++lane)
    start.insert(start.end(), initial.begin(), initial.end());
  const Values end = emit_around(0, start, [&](const Values& now) {
    Values next;
    for (std::int64_t lane = 0; lane < loop_.extent; ++lane) {
      const auto first = now.begin() + lane * width;
      elements_.set_var(loop_.var, i64(builder_, lane));
      set_carried(elements_, loop_, &loop::Carried::current, Values(first, first + width));
      emit_body(site_, loop_.body);
      const Values updated = carried_values(elements_, loop_, &loop::Carried::next);
      next.insert(next.end(), updated.begin(), updated.end());
    }
    return next;
  });
  std::vector<Values> lanes(kReductionLanes, initial);
  for (std::int64_t lane = 0; lane < loop_.extent; ++lane)
    lanes[static_cast<std::size_t>(lane)].assign(end.begin() + lane * width,
                                                 end.begin() + (lane + 1) * width);
  set_carried(elements_, loop_, &loop::Carried::result, joined(std::move(lanes)));
}

void LaneReduction::emit_in_memory() {
  const Values memories = take_memories();
  const Values initial = carried_values(elements_, loop_, &loop::Carried::initial);
  for (unsigned lane = 0; lane < kReductionLanes; ++lane) store_lane(memories, i64(builder_, lane), initial);
  emit_around(0, {}, [&](const Values&) {
    emit_plain(builder_, site_.bounds.of(loop_), 1, loop_.name,
               [&](Value* at) { update_lane(memories, at); });
    return Values{};
  });
  std::vector<Values> lanes;
  for (unsigned lane = 0; lane < kReductionLanes; ++lane)
    lanes.push_back(load_lane(memories, i64(builder_, lane)));
  site_.slots.give_back(memories);
  set_carried(elements_, loop_, &loop::Carried::result, joined(std::move(lanes)));
}

/// A slot for all lanes of each carried value.
Values LaneReduction::take_memories() {
  Values memories;
  for (const loop::Carried& carried : loop_.carried) {
    memories.push_back(
        site_.slots.take(llvm::ArrayType::get(type_of(carried), kReductionLanes), loop_.name + ".lanes"));
  }
  return memories;
}

llvm::Type* LaneReduction::type_of(const loop::Carried& carried) {
  llvm::Type* type = register_type(builder_.getContext(), elements_.dtype(carried.initial));
  return elements_.width() == 1 ? type : llvm::FixedVectorType::get(type, elements_.width());
}

Value* LaneReduction::lane_place(Value* memory, const loop::Carried& carried, Value* lane) {
  return builder_.CreateInBoundsGEP(type_of(carried), memory, lane);
}

Values LaneReduction::load_lane(const Values& memories, Value* lane) {
  Values values;
  for (std::size_t i = 0; i < memories.size(); ++i) {
    const loop::Carried& carried = loop_.carried[i];
    values.push_back(site_.slots.load(type_of(carried), lane_place(memories[i], carried, lane)));
  }
  return values;
}

void LaneReduction::store_lane(const Values& memories, Value* lane, const Values& values) {
  for (std::size_t i = 0; i < memories.size(); ++i)
    site_.slots.store(values[i], lane_place(memories[i], loop_.carried[i], lane));
}

/// One iteration on lanes that live in memory.
void LaneReduction::update_lane(const Values& memories, Value* at) {
  Value* lane = builder_.CreateAnd(at, i64(builder_, kReductionLanes - 1));
  elements_.set_var(loop_.var, at);
  set_carried(elements_, loop_, &loop::Carried::current, load_lane(memories, lane));
  emit_body(site_, loop_.body);
  store_lane(memories, lane, carried_values(elements_, loop_, &loop::Carried::next));
}

void LaneReduction::emit_as_vector() {
  Values initial;
  for (Value* of_row : tile_values(elements_, loop_, &loop::Carried::initial))
    initial.push_back(splat_to(builder_, of_row, kReductionLanes));
  const bool is_known = loop_.extent != kBatch && !loop_.block.is_valid();
  const bool has_rest = !is_known || loop_.extent % kReductionLanes != 0;
  Values lanes = emit_around(0, initial, [&](const Values& carried) {
    const Bounds bounds = site_.bounds.of(loop_);
    if (loop::has_bounds(loop_)) return after_bounded(carried, bounds);
    Value* whole = whole_part(builder_, bounds.end, kReductionLanes);
    const Values now = after_whole_vectors({bounds.begin, whole}, carried);
    if (!has_rest || has_defect(Defect::kLostLaneTail)) return now;
    return is_known ? after_known_rest(now) : after_rest(now, {whole, bounds.end});
  });
  for (unsigned half = kReductionLanes / 2; half > 0; half /= 2) lanes = joined_halves(lanes, half);
  set_tile_values(elements_, loop_, &loop::Carried::result, lanes);
}

Values LaneReduction::after_whole_vectors(const Bounds& bounds, const Values& lanes) {
  Values result;
  elements_.at_lanes({kReductionLanes, loop_.var}, [&] {
    result = emit_iterations(site_, loop_, {bounds.begin, bounds.end, kReductionLanes, loop_.name, lanes});
  });
  return result;
}

/// The iterations that do not fill a vector, all at once; the other lanes stay as they are.
Values LaneReduction::after_known_rest(const Values& lanes) {
  const auto rest = static_cast<unsigned>(loop_.extent % kReductionLanes);
  std::vector<int> chosen;
  for (unsigned lane = 0; lane < kReductionLanes; ++lane) {
    chosen.push_back(static_cast<int>(lane < rest ? lane : kReductionLanes + lane));
  }
  Values result;
  elements_.at_lanes({kReductionLanes, loop_.var, rest}, [&] {
    elements_.set_var(loop_.var, i64(builder_, loop_.extent - rest));
    set_tile_values(elements_, loop_, &loop::Carried::current, lanes);
    emit_body(site_, loop_.body);
    const Values next = tile_values(elements_, loop_, &loop::Carried::next);
    for (std::size_t i = 0; i < lanes.size(); ++i)
      result.push_back(builder_.CreateShuffleVector(next[i], lanes[i], chosen));
  });
  return result;
}

/// The iterations that do not fill a vector, one by one.
Values LaneReduction::after_rest(const Values& lanes, const Bounds& rest) {
  const CountedLoop counted{rest.begin, rest.end, 1, loop_.name + ".rest", lanes};
  return emit_counted(builder_, counted, [&](Value* at, const Values& now) {
    Value* lane = builder_.CreateAnd(at, i64(builder_, kReductionLanes - 1));
    elements_.set_var(loop_.var, at);
    Values current;
    for (Value* lanes_now : now) current.push_back(builder_.CreateExtractElement(lanes_now, lane));
    set_tile_values(elements_, loop_, &loop::Carried::current, current);
    emit_body(site_, loop_.body);
    Values next = tile_values(elements_, loop_, &loop::Carried::next);
    for (std::size_t i = 0; i < now.size(); ++i)
      next[i] = builder_.CreateInsertElement(now[i], next[i], lane);
    return next;
  });
}

/// Any iterations: vectors begin at multiples of 16, so that a lane is the index modulo 16.
Values LaneReduction::after_bounded(const Values& lanes, const Bounds& range) {
  // Not before the beginning, which is not below 0.
  Value* end = larger(builder_, range.begin, range.end);
  Value* above = builder_.CreateAdd(range.begin, i64(builder_, kReductionLanes - 1));
  Value* first = smaller(builder_, whole_part(builder_, above, kReductionLanes), end);
  Value* last = larger(builder_, whole_part(builder_, end, kReductionLanes), first);
  const Values before = after_rest(lanes, {range.begin, first});
  return after_rest(after_whole_vectors({first, last}, before), {last, end});
}

/// Joins lane j with lane j + half; at half = 1 the result is a scalar.
Values LaneReduction::joined_halves(const Values& lanes, unsigned half) {
  Values left;
  Values right;
  for (Value* wide : lanes) {
    left.push_back(lane_range(builder_, wide, 0, half));
    right.push_back(lane_range(builder_, wide, half, half));
  }
  Values result;
  elements_.at_lanes({half}, [&] { result = combined(left, right); });
  return result;
}

}  // namespace

void emit_lanes(const KernelSite& site, const Loop& loop) {
  LaneReduction reduction(site, loop);
  const bool is_in_vectors = site.elements.width() > 1 || loop::has_loops(loop.body);
  const bool has_known_lanes = loop.extent != kBatch && !loop.block.is_valid() && !loop::has_bounds(loop) &&
                               !loop::has_loops(loop.body);
  if (is_in_vectors && has_known_lanes && loop.extent <= kLanesInRegisters) {
    reduction.emit_in_registers();
  } else if (is_in_vectors) {
    reduction.emit_in_memory();
  } else {
    reduction.emit_as_vector();
  }
}

Values joined_lanes(const KernelSite& site, const Loop& loop, std::vector<Values> lanes) {
  return LaneReduction(site, loop).joined(std::move(lanes));
}

}  // namespace dlg
