// Owns random schedules for the nests of a scheduled program: anything that the law of schedules allows.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "ir/loop/nest.h"
#include "ir/loop/operands.h"
#include "ir/loop/schedule.h"

namespace dlg::test {

/// Other tiles, panels, copies, early loads, epilogues and shares than the scheduler chose. None of them may
/// change a bit.
class RandomSchedules {
 public:
  explicit RandomSchedules(std::uint64_t seed) : random_(seed) {}

  loop::Program of(loop::Program program) {
    for (loop::Kernel& kernel : program.kernels) {
      visit(program, kernel.body);
      if (loop::may_wait(loop::path_to_tiles(kernel.body)) && below(2) == 0) loop::let_sums_wait(kernel.body);
      if (kernel.share == loop::Share::kTiles || kernel.share == loop::Share::kPanels) {
        const bool has_tiles = loop::is_tileable(kernel.body.back().loop.front());
        kernel.share = has_tiles && below(2) == 0 ? loop::Share::kTiles : loop::Share::kPanels;
      }
    }
    program.schedule->scratch_bytes = loop::needed_scratch(program);
    return program;
  }

  /// How many nests are scheduled otherwise by now.
  int changes() const { return changes_; }

 private:
  std::int64_t below(std::int64_t end) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(end));
  }

  /// Loops nest at most as deep as axes do.
  void visit(const loop::Program& program, loop::Body& body) {
    for (loop::Statement& statement : body) {
      for (loop::Loop& inner : statement.loop) {
        if (inner.schedule && loop::is_tileable(inner)) {
          inner.schedule = tiles(program, inner);
          ++changes_;
        } else {
          visit(program, inner.body);
        }
      }
    }
  }

  loop::LoopSchedule tiles(const loop::Program& program, const loop::Loop& rows) {
    constexpr std::int64_t kMostRows = 9;
    const loop::Operands operands = loop::operands_of(program, rows);
    const std::int64_t declared = loop::declared_extent(program, rows);
    loop::LoopSchedule schedule;
    schedule.tile = static_cast<unsigned>(1 + below(std::min(declared, kMostRows)));
    if (declared % schedule.tile != 0) schedule.rest = {static_cast<unsigned>(declared % schedule.tile)};
    schedule.panels = panels(loop::column_loop(rows), rows.schedule->panels);
    for (loop::Panel& panel : schedule.panels) {
      panel.reach = 1 + below(3);
      panel.packed = packs(operands.of_columns);
    }
    schedule.packed = packs(operands.of_rows);
    for (loop::Pack& pack : schedule.packed) {
      if (loop::packed_operand(operands.of_rows, pack)->has_neighbours()) pack.group = 1 + below(3);
    }
    if (!schedule.packed.empty()) schedule.packed_tiles = 1 + below(4);
    const loop::TileParts parts = loop::tile_parts(rows);
    for (const loop::Statement* statement : parts.after) {
      const bool is_load = statement->instruction && statement->instruction->op == loop::Op::kLoad &&
                           !loop::has_computed_index(*statement->instruction);
      if (is_load && below(2) == 0) schedule.prefetched.push_back(statement->instruction->result);
    }
    schedule.prefetch_level = static_cast<unsigned>(1 + below(3));
    if (loop::single_chain(parts) != nullptr) schedule.epilogue = static_cast<loop::Epilogue>(below(3));
    if (schedule.epilogue == loop::Epilogue::kBeside) schedule.beside_steps = 1 + below(9);
    return schedule;
  }

  /// Some whole ones of any width, and what is left in a last one with idle lanes. Columns of the batch stay
  /// as they are.
  std::vector<loop::Panel> panels(const loop::Loop& columns, const std::vector<loop::Panel>& chosen) {
    constexpr std::int64_t kWidths = 7;
    if (columns.extent == kBatch) {
      std::vector<loop::Panel> same;
      for (const loop::Panel& panel : chosen) same.push_back({.end = panel.end, .width = panel.width});
      return same;
    }
    const auto width = static_cast<unsigned>(1 << below(kWidths));
    const std::int64_t whole = columns.extent / width * width;
    std::vector<loop::Panel> panels;
    if (whole > 0) panels.push_back({.begin = 0, .end = whole, .width = width});
    if (whole == columns.extent) return panels;
    const auto left = static_cast<unsigned>(columns.extent - whole);
    panels.push_back({.begin = whole, .end = columns.extent, .width = std::bit_ceil(left)});
    return panels;
  }

  std::vector<loop::Pack> packs(const std::vector<loop::Operand>& operands) {
    constexpr std::int64_t kSquares = 5;
    std::vector<loop::Pack> packs;
    for (const loop::Operand& operand : operands) {
      if (below(2) == 0) continue;
      packs.push_back({.load = operand.load->result});
      if (operand.is_turned()) packs.back().square = static_cast<unsigned>(1 << below(kSquares));
    }
    return packs;
  }

  std::mt19937_64 random_;
  int changes_ = 0;
};

}  // namespace dlg::test
