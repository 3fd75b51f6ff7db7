#include "passes/lower/sum_nest.h"

#include <algorithm>

#include "ir/ops/lowering.h"
#include "passes/lower/left_out.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::Loop;
using loop::LoopKind;
using loop::Op;
using Scalars = ElementScope::Scalars;
using Fill = std::function<Scalars(const Loop& open, const Scalars& current)>;

Loop header(const SumSite& site, LoopKind kind, std::int64_t extent) {
  ++site.loops;
  Loop loop;
  loop.kind = kind;
  loop.var = site.builder.new_var();
  loop.name = extent == kBatch ? "b" : "k";
  const bool runs_over_padding = extent == kBatch && has_defect(Defect::kPaddedRows);
  loop.extent = runs_over_padding ? site.batch : extent;
  return loop;
}

/// The loop with a body that answers the next of the carried values; what they are after it.
Scalars carry(const SumSite& site, Loop loop, const Scalars& initial, const Fill& fill) {
  loop.carried.resize(initial.size());
  Scalars current;
  Scalars results;
  for (std::size_t i = 0; i < initial.size(); ++i) {
    loop::Carried& carried = loop.carried[i];
    carried.initial = initial[i].reg;
    carried.current = site.builder.new_register();
    carried.result = site.builder.new_register();
    current.push_back({&site.scope, carried.current, initial[i].dtype});
    results.push_back({&site.scope, carried.result, initial[i].dtype});
  }
  const FrameKind kind = loop.step > 1 ? FrameKind::kBlock : FrameKind::kReduction;
  site.builder.add_loop(std::move(loop), kind, [&](Loop& open) {
    const Scalars next = fill(open, current);
    DLG_CHECK(next.size() == open.carried.size(), "a reduction step lost a carried value");
    for (std::size_t i = 0; i < next.size(); ++i) open.carried[i].next = next[i].reg;
  });
  return results;
}

/// The tree of a lanes loop.
void add_combine(const SumSite& site, Loop& loop, const Scalars& like, const ElementScope::Combine& combine) {
  loop.carried.resize(like.size());
  loop.combine = site.builder.combine_body([&] {
    Scalars left;
    Scalars right;
    for (std::size_t i = 0; i < like.size(); ++i) {
      loop.carried[i].left = site.builder.new_register();
      loop.carried[i].right = site.builder.new_register();
      left.push_back({&site.scope, loop.carried[i].left, like[i].dtype});
      right.push_back({&site.scope, loop.carried[i].right, like[i].dtype});
    }
    const Scalars combined = combine(left, right);
    for (std::size_t i = 0; i < like.size(); ++i) loop.carried[i].combined = combined[i].reg;
  });
}

class SumNest {
 public:
  SumNest(const SumSite& site, const ElementScope::Reduction& reduction)
      : site_(site),
        reduction_(reduction),
        order_(loop::sum_order(reduction.extents, reduction.form, site.batch)),
        at_(reduction.extents.size() + reduction.beside.size()),
        is_open_(at_.size(), 0),
        vars_(reduction.extents.size()) {}

  Scalars run() {
    if (order_.blocks == 1) return block(0);
    Scalars runs;
    for (int rank = 0; rank < order_.ranks; ++rank)
      runs.insert(runs.end(), reduction_.none.begin(), reduction_.none.end());
    runs = blocks(0, runs);
    Scalars total = run_of(runs, 0);
    for (int rank = 1; rank < order_.ranks; ++rank) total = reduction_.combine(run_of(runs, rank), total);
    return total;
  }

 private:
  std::int64_t extent(std::size_t place) const { return reduction_.extents[order_.axes[place]]; }
  std::size_t axis_count() const { return order_.axes.size(); }
  Scalar number(std::int64_t value) { return site_.scope.constant(static_cast<double>(value), DType::kI64); }

  /// The loops over blocks, from the axis at `place` on. What they carry is for each rank the run that is not
  /// whole yet: of blocks, of runs, and so on.
  Scalars blocks(std::size_t place, const Scalars& runs) {
    const std::size_t axis = order_.axes[place];
    Loop loop = header(site_, LoopKind::kSerial, extent(place));
    const bool is_cut = place == order_.cut;
    if (is_cut) loop.step = order_.piece;
    if (loop.step > 1) loop.name += "0";
    vars_[place] = loop.var;
    const bool is_whole_piece = is_cut && order_.piece > 1;
    if (!is_whole_piece) open_outside(loop, axis);
    return carry(site_, std::move(loop), runs, [&](const Loop&, const Scalars& current) {
      if (is_whole_piece) return added(current, block(place));
      return is_cut ? added(current, block(place + 1)) : blocks(place + 1, current);
    });
  }

  /// Of a loop over blocks. Which blocks begin a run of another rank is found by counting them: none may be
  /// left out there, and a gate inside of the block leaves out what the block is made of.
  void open_outside(Loop& loop, std::size_t axis) {
    if (order_.ranks <= 1 || !is_last_of_some(axis)) return open(loop, axis);
    at_[axis] = loop::index_of(loop.var);
    gated_.push_back(axis);
  }

  /// The variable of `loop` becomes part of the index of `axis`; conditions whose last axis it is bound it.
  void open(Loop& loop, std::size_t axis) {
    for (const loop::SumCondition& condition : reduction_.conditions) {
      if (!is_last(condition, axis)) continue;
      loop::Index rest = condition.fixed;
      for (std::size_t i = 0; i < condition.factors.size(); ++i)
        loop::add_scaled(rest, at_[i], condition.factors[i]);
      add_bounds(loop, rest, condition.factors[axis], condition);
    }
    loop::add_scaled(at_[axis], loop::index_of(loop.var), 1);
    is_open_[axis] = 1;
  }

  /// Whether all axes of `condition` but `axis` are open.
  bool is_last(const loop::SumCondition& condition, std::size_t axis) const {
    if (axis >= condition.factors.size() || condition.factors[axis] == 0) return false;
    for (std::size_t i = 0; i < condition.factors.size(); ++i) {
      if (i != axis && condition.factors[i] != 0 && is_open_[i] == 0) return false;
    }
    return true;
  }

  bool is_last_of_some(std::size_t axis) const {
    return std::any_of(reduction_.conditions.begin(), reduction_.conditions.end(),
                       [&](const loop::SumCondition& condition) { return is_last(condition, axis); });
  }

  /// The loops of one block, over the axes from `place` on; the cut axis runs over its piece.
  Scalars block(std::size_t place) {
    std::vector<Loop> loops;
    const bool has_lanes = reduction_.form == loop::SumForm::kLanes;
    std::size_t lane = 0;
    for (const std::size_t axis : gated_) {
      loops.push_back(header(site_, LoopKind::kSerial, 1));
      open(loops.back(), axis);
    }
    open_beside(loops, place);
    for (; place < axis_count(); ++place) {
      const std::size_t axis = order_.axes[place];
      const bool is_innermost = place + 1 == axis_count();
      const bool is_needed = is_innermost && (has_lanes || loops.empty());
      const bool is_single = extent(place) == 1 && !is_needed && !is_last_of_some(axis);
      if (is_single) {
        is_open_[axis] = 1;
      } else {
        const bool is_lane = is_innermost && has_lanes;
        if (is_lane) lane = loops.size();
        loops.push_back(header(site_, is_lane ? LoopKind::kLanes : LoopKind::kSerial, extent(place)));
        if (place == order_.cut) loops.back().block = vars_[place];
        open(loops.back(), axis);
      }
      open_beside(loops, place + 1);
    }
    return has_lanes ? lanes(loops, lane) : chain(loops, reduction_.initial);
  }

  /// The loops beside the axes that run right here, `place` being that of the next axis.
  void open_beside(std::vector<Loop>& loops, std::size_t place) {
    for (std::size_t i = 0; i < reduction_.beside.size(); ++i) {
      const loop::AxisBeside& beside = reduction_.beside[i];
      const std::size_t axis = axis_count() + i;
      const auto behind = beside.behind ? std::find(order_.axes.begin(), order_.axes.end(), *beside.behind)
                                        : order_.axes.begin();
      const auto first = static_cast<std::size_t>(behind - order_.axes.begin()) + (beside.behind ? 1 : 0);
      if (is_open_[axis] != 0 || first > place) continue;
      loops.push_back(header(site_, LoopKind::kSerial, beside.extent));
      open(loops.back(), axis);
    }
  }

  Scalars chain(std::span<const Loop> loops, const Scalars& initial) {
    if (loops.empty()) return reduction_.step(at_, initial);
    return carry(site_, loops.front(), initial,
                 [&](const Loop&, const Scalars& current) { return chain(loops.subspan(1), current); });
  }

  /// Loops before `lane` run around the lanes, those behind it inside of a lane.
  Scalars lanes(std::span<const Loop> loops, std::size_t lane) {
    Loop loop = loops[lane];
    loop.around = {loops.begin(), loops.begin() + static_cast<std::ptrdiff_t>(lane)};
    add_combine(site_, loop, reduction_.initial, reduction_.combine);
    return carry(site_, std::move(loop), reduction_.initial, [&](const Loop&, const Scalars& current) {
      return chain(loops.subspan(lane + 1), current);
    });
  }

  Scalars run_of(const Scalars& runs, int rank) const {
    const auto size = static_cast<std::ptrdiff_t>(reduction_.none.size());
    const auto first = runs.begin() + size * rank;
    return {first, first + size};
  }

  /// `part` at the end of the run of blocks; where a new run begins with it, the old one goes to the next
  /// rank before.
  Scalars added(const Scalars& runs, const Scalars& part) {
    Scalars next;
    Scalars last = run_of(runs, 0);
    for (int rank = 1; rank < order_.ranks; ++rank) {
      const Scalar is_new = begins_run(rank);
      Scalars whole = reduction_.none;
      for (std::size_t i = 0; i < last.size(); ++i) {
        whole[i] = choose(is_new, last[i], reduction_.none[i]);
        last[i] = choose(is_new, reduction_.none[i], last[i]);
      }
      next.insert(next.end(), last.begin(), last.end());
      last = reduction_.combine(run_of(runs, rank), whole);
    }
    next.insert(next.end(), last.begin(), last.end());
    const Scalars first = reduction_.combine(run_of(next, 0), part);
    std::copy(first.begin(), first.end(), next.begin());
    return next;
  }

  /// Whether a number that begins a run of this rank lies between that of the block before, which is not
  /// counted, and that of this one. All numbers are multiplied by the indices of a piece.
  Scalar begins_run(int rank) {
    loop::Index index;
    std::int64_t factor = order_.piece * order_.pieces;
    index.terms.push_back({vars_[order_.cut], 1});
    for (std::size_t place = order_.cut; place-- > 0; factor *= extent(place))
      index.terms.push_back({vars_[place], factor});
    std::int64_t period = order_.piece;
    for (int i = 0; i < rank; ++i) period *= loop::kLongestChain;
    const Scalar at = site_.scope.index_value(index);
    return test(Op::kLe, at - at / number(period) * number(period), absent());
  }

  /// The blocks without a valid row before this one: they end the pieces of the batch.
  Scalar absent() {
    const bool may_be = order_.cut > 0 && extent(order_.cut) == kBatch;
    if (!may_be) return number(0);
    const Scalar piece = number(order_.piece);
    const Scalar present = (site_.scope.rows() + number(order_.piece - 1)) / piece;
    const Scalar at = site_.scope.index_value(loop::index_of(vars_[order_.cut]));
    return choose(test(Op::kEq, at, number(0)), (number(order_.pieces) - present) * piece, number(0));
  }

  const SumSite& site_;
  const ElementScope::Reduction& reduction_;
  loop::SumOrder order_;
  Indices at_;                      // by axis, those beside behind
  std::vector<char> is_open_;       // likewise
  std::vector<std::size_t> gated_;  // axes of loops over blocks that bound nothing
  std::vector<loop::VarId> vars_;   // of the loops over blocks, by place
};

}  // namespace

Scalars lower_sum(const SumSite& site, const ElementScope::Reduction& reduction) {
  return SumNest(site, reduction).run();
}

Scalars lower_chain(const SumSite& site, std::int64_t extent, const Scalars& initial,
                    const ElementScope::Step& step) {
  return carry(site, header(site, LoopKind::kSerial, extent), initial,
               [&](const Loop& open, const Scalars& current) {
                 const Indices at{loop::index_of(open.var)};
                 return step(at, current);
               });
}

}  // namespace dlg
