#include "passes/schedule/schedule_loops.h"

#include <algorithm>
#include <numeric>

#include "ir/loop/nest.h"
#include "ir/loop/schedule.h"
#include "ir/loop/sum_order.h"
#include "passes/schedule/divide.h"
#include "passes/schedule/epilogue.h"
#include "passes/schedule/pack.h"
#include "passes/schedule/step_form.h"
#include "passes/schedule/straight.h"
#include "passes/schedule/tile.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

using loop::Loop;
using loop::LoopKind;
using loop::LoopSchedule;
using loop::Share;

/// A vector loop takes 64 bytes at a time; narrower targets split it.
constexpr std::int64_t kVectorBytes = 64;

/// Chains that hide the latency of each other: two a cycle, for four cycles.
constexpr std::int64_t kMostRowsOfLanes = 8;

/// Whether a loop stands in another one.
enum class Depth : std::uint8_t { kOutermost, kInside };

/// Pieces of `unit` in which a whole batch or an axis falls.
std::int64_t pieces(const loop::Program& program, const Loop& loop, std::int64_t unit) {
  return ceil_div(declared_extent(program, loop), unit);
}

/// Loops nest at most as deep as axes do.
void forget_schedules(loop::Body& body) {
  for (loop::Statement& statement : body) {
    if (statement.instruction) statement.instruction->joins_previous = false;
    for (Loop& inner : statement.loop) {
      inner.schedule = std::nullopt;
      inner.straight.clear();
      forget_schedules(inner.body);
      forget_schedules(inner.combine);
    }
  }
}

class Scheduler {
 public:
  Scheduler(const loop::Program& program, const loop::Core& core) : program_(program), core_(core) {}

  void schedule(loop::Kernel& kernel) const {
    forget_schedules(kernel.body);
    for (loop::Statement& statement : kernel.body) {
      for (Loop& outermost : statement.loop) visit(outermost, Depth::kOutermost);
    }
    if (should_wait(program_, loop::path_to_tiles(kernel.body), core_)) loop::let_sums_wait(kernel.body);
    kernel.share = Share::kNothing;
    kernel.ahead.clear();
    if (is_worth_dividing(program_, kernel)) kernel.share = share_of(kernel.body);
  }

 private:
  /// Inside a vector loop the lanes are taken already. What is not uniform goes one by one. Loops nest at
  /// most as deep as axes do.
  void visit(Loop& loop, Depth depth) const {
    if (loop::is_tileable(loop)) {
      loop.schedule = tiles(loop);
    } else if (loop.kind == LoopKind::kVector && loop::is_uniform(loop)) {
      loop.schedule = LoopSchedule{.panels = vector_panels(loop)};
    } else if (depth == Depth::kInside && loop::has_lanes_in_rows(loop)) {
      loop.schedule = rows_of_lanes(loop);
    } else {
      for (loop::Statement& statement : loop.body) {
        for (Loop& inner : statement.loop) visit(inner, Depth::kInside);
      }
    }
  }

  /// As many rows as hide the latency of a chain, if their lanes take no more than half of the registers.
  std::optional<LoopSchedule> rows_of_lanes(const Loop& rows) const {
    const std::int64_t vectors =
        std::max<std::int64_t>(1, loop::kLaneCount * loop::widest_element(rows.body) / core_.vector_bytes);
    const std::int64_t most = std::clamp<std::int64_t>(core_.registers / (2 * vectors), 1, kMostRowsOfLanes);
    if (std::min(most, rows.extent) == 1) return std::nullopt;
    LoopSchedule schedule;
    schedule.tile = static_cast<unsigned>(std::min(most, rows.extent));
    schedule.rest = row_tiles(rows.extent, schedule.tile).rest;
    return schedule;
  }

  LoopSchedule tiles(const Loop& rows) const {
    const loop::Operands operands = loop::operands_of(program_, rows);
    const TileNest nest{program_, rows, operands, core_};
    const Loop& columns = loop::column_loop(rows);
    LoopSchedule schedule{.prefetched = far_loads(program_, rows, core_),
                          .prefetch_level = core_.early_level};
    schedule.epilogue = choose_epilogue(rows, schedule.prefetched);
    loop::Core core = core_;
    // The update beside the chains needs some.
    if (schedule.epilogue == loop::Epilogue::kBeside) core.registers -= core.registers / 4;
    std::vector<TiledPanel> panels =
        choose_panels({rows.extent, columns.extent, program_.batch, loop::widest_element(columns.body),
                       !schedule.prefetched.empty() && schedule.epilogue == loop::Epilogue::kBehind},
                      core);
    schedule.tile = panels.front().rows;
    if (schedule.epilogue == loop::Epilogue::kBeside)
      schedule.beside_steps = steps_beside(program_, rows, schedule.tile);
    schedule.rest = row_tiles(declared_extent(program_, rows), schedule.tile).rest;
    schedule.epilogue = shortened(schedule.epilogue, rows, written_sums(panels.front(), schedule));
    schedule.packed = choose_row_packs(nest, panels.front());
    if (!schedule.packed.empty()) {
      // All panels read the same copy.
      for (TiledPanel& tiled : panels) tiled.rows = schedule.tile;
      schedule.packed_tiles = packed_tiles(nest, schedule);
    }
    for (TiledPanel& tiled : panels) {
      // What the sums meet far away is read in order if all panels within reach go over a row before the
      // next.
      if (!schedule.prefetched.empty()) tiled.panel.reach = panels_in_reach(nest, tiled.panel);
      tiled.panel.packed = choose_column_packs(nest, tiled);
      schedule.panels.push_back(std::move(tiled.panel));
    }
    return schedule;
  }

  WrittenSums written_sums(const TiledPanel& tiled, const LoopSchedule& schedule) const {
    const std::int64_t rest = std::accumulate(schedule.rest.begin(), schedule.rest.end(), std::int64_t{0});
    const std::int64_t lanes = core_.vector_bytes / sizeof(float);
    return {schedule.tile + rest, std::max<std::int64_t>(1, tiled.panel.width / lanes)};
  }

  /// As many tiles as copies may have bytes, an eighth more where that saves a group: each group copies
  /// every panel of columns anew. All groups are alike.
  std::int64_t packed_tiles(const TileNest& nest, const LoopSchedule& schedule) const {
    std::int64_t bytes_of_tile = 0;
    for (const loop::Pack& pack : schedule.packed) {
      const loop::Operand& operand = *loop::packed_operand(nest.operands.of_rows, pack);
      bytes_of_tile += operand.steps * schedule.tile * dtype_bytes(operand.load->dtype);
    }
    const std::int64_t most_bytes = core_.packed_bytes + core_.packed_bytes / 8;
    const std::int64_t most = std::max<std::int64_t>(1, most_bytes / bytes_of_tile);
    const std::int64_t tiles = pieces(program_, nest.rows, schedule.tile);
    const std::int64_t groups = ceil_div(tiles, most);
    return ceil_div(tiles, groups);
  }

  /// In runs of vectors; the last run may be one by one. A body with a chain in it waits for the chain:
  /// vectors side by side hide that, and even a short rest is worth a narrower vector.
  std::vector<loop::Panel> vector_panels(const Loop& loop) const {
    const std::int64_t bytes = loop::widest_element(loop.body);
    std::vector<loop::Panel> panels;
    if (loop::has_loops(loop.body)) {
      for (TiledPanel& tiled : choose_panels({1, loop.extent, program_.batch, bytes}, core_)) {
        panels.push_back(std::move(tiled.panel));
      }
      return panels;
    }
    std::int64_t lanes = kVectorBytes / bytes;
    while (loop.extent != kBatch && lanes > loop.extent) lanes /= 2;
    const auto width = static_cast<unsigned>(lanes);
    if (loop.extent == kBatch) return {{.end = kBatch, .width = width}, {.end = kBatch, .width = 1}};
    const std::int64_t whole = loop.extent / lanes * lanes;
    panels = {{.begin = 0, .end = whole, .width = width}};
    if (whole != loop.extent) panels.push_back({.begin = whole, .end = loop.extent, .width = 1});
    return panels;
  }

  /// On a tie by panels: each worker then packs and reads its own part of the repeated operand.
  Share share_of(const loop::Body& body) const {
    const Loop& loop = body.back().loop.front();
    if (!loop.schedule) return share_of_iterations(loop, loop::inner_of_pairs(body));
    if (loop.kind == LoopKind::kVector) return Share::kPanels;
    const std::int64_t panels =
        pieces(program_, loop::column_loop(loop), loop.schedule->panels.front().width);
    const std::int64_t rows = pieces(program_, loop, loop.schedule->tile);
    return unevenness(panels) <= unevenness(rows) ? Share::kPanels : Share::kTiles;
  }

  /// Pairs only where they spare a worker a good part of its waiting: few iterations, as the taps of a
  /// window.
  Share share_of_iterations(const Loop& loop, const Loop* inner) const {
    constexpr double kWorthPairs = 0.95;
    if (inner == nullptr) return Share::kIterations;
    const std::int64_t iterations = pieces(program_, loop, 1);
    const std::int64_t pairs = iterations * pieces(program_, *inner, 1);
    return unevenness(pairs) < kWorthPairs * unevenness(iterations) ? Share::kPairs : Share::kIterations;
  }

  const loop::Program& program_;
  const loop::Core& core_;
};

}  // namespace

loop::Program schedule_loops(loop::Program program, const loop::Core& core,
                             std::optional<loop::StepForm> form) {
  // What the scheduler reads is not what it writes into.
  const loop::Program before = program;
  const Scheduler scheduler(before, core);
  for (loop::Kernel& kernel : program.kernels) scheduler.schedule(kernel);
  program.schedule = loop::ProgramSchedule{std::string(core.name), form.value_or(choose_form(before)), 0};
  program.schedule->scratch_bytes = loop::needed_scratch(program);
  if (program.schedule->form == loop::StepForm::kStraight) schedule_straight(program, core);
  return program;
}

}  // namespace dlg
