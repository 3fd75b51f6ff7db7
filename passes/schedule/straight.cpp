#include "passes/schedule/straight.h"

#include <algorithm>
#include <set>

#include "ir/loop/counters.h"
#include "ir/loop/nest.h"
#include "ir/loop/operands.h"
#include "ir/loop/scalar_math.h"
#include "passes/schedule/ahead.h"

namespace dlg {
namespace {

using loop::Loop;

/// Whether the iterations are independent, can be taken side by side, and no loop inside has such iterations
/// too.
bool is_innermost(const Loop& loop) {
  return loop::is_independent(loop.kind) && loop::is_uniform(loop) &&
         std::none_of(loop.body.begin(), loop.body.end(), [](const loop::Statement& s) {
           return !s.loop.empty() && loop::is_independent(s.loop.front().kind);
         });
}

/// Whole vectors as far as they go, then ever shorter ones: two elements side by side cost what one does.
std::vector<loop::Panel> vectors_of(std::int64_t extent, std::int64_t most_lanes) {
  std::vector<loop::Panel> panels;
  std::int64_t begin = 0;
  for (std::int64_t lanes = most_lanes; begin < extent; lanes /= 2) {
    const std::int64_t end = begin + (extent - begin) / lanes * lanes;
    if (end == begin) continue;
    panels.push_back({.begin = begin, .end = end, .width = static_cast<unsigned>(lanes)});
    begin = end;
  }
  return panels;
}

/// Where in `body` stand the functions that can be computed when `body[first]` is: the same op, and nothing
/// that they read is defined from there on. A vector of them costs what one does. What follows from a counter
/// is computed ahead and has no company but its own.
std::vector<std::size_t> alike(const loop::Body& body, std::size_t first, const loop::Counted& counted) {
  const loop::Instruction& model = *body[first].instruction;
  std::vector<std::size_t> found;
  std::set<loop::RegId> later;
  for (std::size_t i = first; i < body.size(); ++i) {
    for (const Loop& loop : body[i].loop) {
      for (const loop::Carried& carried : loop.carried) later.insert(carried.result);
    }
    if (!body[i].instruction) continue;
    const loop::Instruction& instruction = *body[i].instruction;
    const bool is_known = std::none_of(instruction.args.begin(), instruction.args.end(),
                                       [&](loop::RegId arg) { return later.contains(arg); });
    const bool is_of_one_step = counted.contains(instruction.result) == counted.contains(model.result);
    if (instruction.op == model.op && instruction.dtype == model.dtype && is_known && is_of_one_step)
      found.push_back(i);
    later.insert(instruction.result);
  }
  return found;
}

/// Functions come up to the first one like them that they can be computed with.
void bring_together(loop::Body& body, const loop::Counted& counted) {
  for (std::size_t first = 0; first < body.size(); first += loop::group_size(body, first)) {
    if (!body[first].instruction || !loop::is_elementary(body[first].instruction->op)) continue;
    std::size_t end = first;
    for (const std::size_t place : alike(body, first, counted)) {
      const auto begin = body.begin();
      const auto at = static_cast<std::ptrdiff_t>(place);
      std::rotate(begin + static_cast<std::ptrdiff_t>(end), begin + at, begin + at + 1);
      body[end].instruction->joins_previous = end > first;
      ++end;
    }
  }
}

/// In `body` and all loops in it. Loops nest at most as deep as axes do.
void bring_all_together(loop::Body& body, const loop::Counted& counted) {
  bring_together(body, counted);
  for (loop::Statement& statement : body) {
    for (Loop& inner : statement.loop) {
      bring_all_together(inner.body, counted);
      bring_all_together(inner.combine, counted);
    }
  }
}

/// Of one kernel.
class StraightScheduler {
 public:
  StraightScheduler(const loop::Program& program, const loop::Core& core, const loop::Counted& counted)
      : program_(program), core_(core), counted_(counted) {}

  /// A body that is written out for one element at a time. Loops nest at most as deep as axes do.
  void visit(loop::Body& body) const {
    bring_together(body, counted_);
    for (loop::Statement& statement : body) {
      for (Loop& inner : statement.loop) visit(inner);
    }
  }

 private:
  void visit(Loop& loop) const {
    if (!is_innermost(loop)) {
      visit(loop.body);
      return visit(loop.combine);
    }
    loop.straight = vectors_of(loop::declared_extent(program_, loop),
                               core_.vector_bytes / loop::widest_element(loop.body));
    // Inside a vector the lanes are taken already.
    if (loop.straight.back().width == 1) bring_all_together(loop.body, counted_);
  }

  const loop::Program& program_;
  const loop::Core& core_;
  const loop::Counted& counted_;
};

}  // namespace

void schedule_straight(loop::Program& program, const loop::Core& core) {
  const std::vector<loop::Counted> counted = loop::counted_registers(program);
  choose_ahead(program, counted);
  for (std::size_t i = 0; i < program.kernels.size(); ++i)
    StraightScheduler(program, core, counted[i]).visit(program.kernels[i].body);
}

}  // namespace dlg
