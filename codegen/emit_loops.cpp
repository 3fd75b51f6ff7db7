// Owns the plain loops beside the dispatch: iterations in order, and vectors.
#include "codegen/emit_loops.h"

#include "codegen/carried_values.h"
#include "codegen/emit_lanes.h"
#include "codegen/emit_straight.h"
#include "codegen/emit_tile.h"
#include "codegen/tile_rows.h"
#include "ir/loop/nest.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {

using llvm::Value;
using loop::Loop;
using loop::LoopKind;

namespace {

void emit_serial(const KernelSite& site, const Loop& loop) {
  const Bounds bounds = site.bounds.of(loop);
  site.bounds.set_block_step(loop);
  const Values initial = tile_values(site.elements, loop, &loop::Carried::initial);
  const CountedLoop counted{bounds.begin, bounds.end, loop.step, loop.name, initial};
  set_tile_values(site.elements, loop, &loop::Carried::result, emit_iterations(site, loop, counted));
}

/// Independent iterations, in the panels of the schedule.
void emit_vector(const KernelSite& site, const Loop& loop) {
  DLG_CHECK(loop.schedule.has_value(), "a vector loop has panels");
  std::vector<loop::Panel> panels = loop.schedule->panels;
  if (has_defect(Defect::kLostVectorTail) && panels.back().width == 1) panels.pop_back();
  std::optional<Bounds> share;
  if (site.bounds.is_divided(loop))
    share = site.bounds.share_of(site.bounds.extent(loop), panels.front().width);
  Value* begin = i64(site.builder, 0);
  for (const loop::Panel& panel : panels) {
    Value* end = site.bounds.end_of(panel);
    site.elements.at_lanes({panel.width, loop.var, panel.lanes()}, [&] {
      const Bounds columns = within(site.builder, {begin, end}, share);
      emit_plain(site.builder, columns, panel.width, loop.name, [&](Value* at) {
        site.elements.set_var(loop.var, at);
        emit_body(site, loop.body);
      });
    });
    begin = end;
  }
}

/// Iterations with lanes in them, a tile of them side by side: no chain of one waits for that of another.
void emit_rows_of_lanes(const KernelSite& site, const Loop& loop) {
  for_each_tile(site, tile_rows(site, loop), [&](Value* row, unsigned count) {
    site.elements.set_var(loop.var, row);
    site.elements.at_rows(count, loop.var, [&] { emit_body(site, loop.body); });
  });
}

void emit_loop(const KernelSite& site, const Loop& loop) {
  set_carried_dtypes(site.elements, loop);
  if (site.form == loop::StepForm::kStraight) return emit_straight(site, loop);
  if (loop.kind == LoopKind::kLanes) return emit_lanes(site, loop);
  // Inside another vector loop the lanes are taken already: iterations one after the other.
  const bool is_outermost = site.elements.width() == 1;
  if (loop.kind == LoopKind::kParallel && loop.schedule && is_outermost)
    return loop.schedule->panels.empty() ? emit_rows_of_lanes(site, loop) : emit_tiles(site, loop);
  if (loop.kind == LoopKind::kVector && is_outermost && loop::is_uniform(loop))
    return emit_vector(site, loop);
  emit_serial(site, loop);
}

}  // namespace

void emit_body(const KernelSite& site, const loop::Body& body) {
  if (site.form == loop::StepForm::kStraight && site.elements.width() == 1)
    return emit_straight_body(site, body);
  for (const loop::Statement& statement : body) emit_statement(site, statement);
}

void emit_statement(const KernelSite& site, const loop::Statement& statement) {
  if (statement.instruction) site.elements.emit_instruction(*statement.instruction);
  if (statement.store) site.elements.store(*statement.store);
  for (const Loop& inner : statement.loop) emit_loop(site, inner);
}

Values emit_iterations(const KernelSite& site, const Loop& loop, const CountedLoop& counted) {
  return emit_counted(site.builder, counted, [&](Value* at, const Values& carried) {
    site.elements.set_var(loop.var, at);
    set_tile_values(site.elements, loop, &loop::Carried::current, carried);
    emit_body(site, loop.body);
    return tile_values(site.elements, loop, &loop::Carried::next);
  });
}

}  // namespace dlg
