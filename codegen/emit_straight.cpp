#include "codegen/emit_straight.h"

#include <algorithm>
#include <span>

#include "codegen/carried_values.h"
#include "codegen/compute_ahead.h"
#include "codegen/emit_lanes.h"
#include "codegen/emit_loops.h"
#include "ir/loop/nest.h"
#include "ir/loop/scalar_math.h"

namespace dlg {

using loop::Loop;
using loop::LoopKind;

namespace {

struct KnownBounds {
  std::int64_t begin;
  std::int64_t end;
};

KnownBounds known_bounds(const KernelSite& site, const Loop& loop) {
  const Bounds bounds = site.bounds.of(loop);
  return {llvm::cast<llvm::ConstantInt>(bounds.begin)->getSExtValue(),
          llvm::cast<llvm::ConstantInt>(bounds.end)->getSExtValue()};
}

void emit_as_vectors(const KernelSite& site, const Loop& loop) {
  for (const loop::Panel& panel : loop.straight) {
    site.elements.at_lanes({panel.width, loop.var}, [&] {
      for (std::int64_t at = panel.begin; at < panel.end; at += panel.width) {
        site.elements.set_var(loop.var, i64(site.builder, at));
        emit_body(site, loop.body);
      }
    });
  }
}

void emit_in_order(const KernelSite& site, const Loop& loop) {
  const auto [begin, end] = known_bounds(site, loop);
  site.bounds.set_block_step(loop);
  Values values = carried_values(site.elements, loop, &loop::Carried::initial);
  for (std::int64_t at = begin; at < end; at += loop.step) {
    set_carried(site.elements, loop, &loop::Carried::current, values);
    site.elements.set_var(loop.var, i64(site.builder, at));
    emit_body(site, loop.body);
    values = carried_values(site.elements, loop, &loop::Carried::next);
  }
  set_carried(site.elements, loop, &loop::Carried::result, values);
}

/// The iterations on `lanes`, from the loop at `depth` of those around on.
void update_lanes(const KernelSite& site, const Loop& loop, std::size_t depth, std::vector<Values>& lanes) {
  const bool is_around = depth < loop.around.size();
  const Loop& own = is_around ? loop.around[depth] : loop;
  const auto [begin, end] = known_bounds(site, own);
  for (std::int64_t at = begin; at < end; ++at) {
    site.elements.set_var(own.var, i64(site.builder, at));
    if (is_around) {
      update_lanes(site, loop, depth + 1, lanes);
      continue;
    }
    Values& lane = lanes[static_cast<std::size_t>(at % kReductionLanes)];
    set_carried(site.elements, loop, &loop::Carried::current, lane);
    emit_body(site, loop.body);
    lane = carried_values(site.elements, loop, &loop::Carried::next);
  }
}

/// Sixteen lanes as values of their own. Lanes that no iteration reaches hold the initial value, which the
/// tree joins like any other; LLVM drops what that does not change.
void emit_as_lanes(const KernelSite& site, const Loop& loop) {
  std::vector<Values> lanes(kReductionLanes, carried_values(site.elements, loop, &loop::Carried::initial));
  update_lanes(site, loop, 0, lanes);
  set_carried(site.elements, loop, &loop::Carried::result, joined_lanes(site, loop, std::move(lanes)));
}

/// One vector.
void emit_group(const KernelSite& site, std::span<const loop::Statement> group) {
  std::vector<const loop::Instruction*> functions;
  for (const loop::Statement& statement : group) functions.push_back(&*statement.instruction);
  site.elements.emit_together(functions);
}

void mark_ahead(const KernelSite& site, const loop::Statement& statement) {
  if (!statement.instruction) return;
  const loop::RegId reg = statement.instruction->result;
  if (std::ranges::find(site.kernel.ahead, reg) == site.kernel.ahead.end()) return;
  site.elements.set_reg(reg, marked_ahead(site.builder, site.elements.reg(reg)));
}

}  // namespace

void emit_straight_body(const KernelSite& site, const loop::Body& body) {
  for (std::size_t i = 0; i < body.size(); i += loop::group_size(body, i)) {
    const std::span<const loop::Statement> group = std::span(body).subspan(i, loop::group_size(body, i));
    if (group.size() == 1) {
      emit_statement(site, body[i]);
    } else {
      emit_group(site, group);
    }
    for (const loop::Statement& statement : group) mark_ahead(site, statement);
  }
}

void emit_straight(const KernelSite& site, const Loop& loop) {
  if (loop.kind == LoopKind::kLanes) {
    emit_as_lanes(site, loop);
  } else if (!loop.straight.empty()) {
    emit_as_vectors(site, loop);
  } else {
    emit_in_order(site, loop);
  }
}

}  // namespace dlg
