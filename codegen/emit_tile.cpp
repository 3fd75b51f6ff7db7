#include "codegen/emit_tile.h"

#include <optional>

#include "codegen/carried_values.h"
#include "codegen/emit_loops.h"
#include "codegen/emit_overlap.h"
#include "codegen/emit_pack.h"
#include "codegen/sum_slots.h"
#include "codegen/tile_rows.h"
#include "codegen/waiting_sums.h"
#include "ir/loop/nest.h"
#include "ir/loop/operands.h"

namespace dlg {

using llvm::Value;
using loop::Loop;
using loop::Statement;

namespace {

/// One nest: for each part of the rows that is packed together, each panel, each panel block, each tile.
class TileEmitter {
 public:
  TileEmitter(const KernelSite& site, const Loop& rows)
      : site_(site),
        builder_(site.builder),
        elements_(site.elements),
        loop_(rows),
        schedule_(*rows.schedule),
        columns_(loop::column_loop(rows)),
        rows_(tile_rows(site, rows)) {}

  void emit();

 private:
  /// As many panels like `panel` as are in its reach, the last ones perhaps missing: their operands are
  /// copied together, each tile of rows goes over all of them.
  struct PanelBlock {
    const loop::Panel& panel;
    Bounds columns;
    std::vector<PackedBlock> packed = {};  // operands, from the first of `columns` on
  };
  /// Its first row, and how many there are.
  struct Tile {
    Value* row;
    unsigned count;
  };

  void take_share();
  void reserve_rows();
  void pack_rows();
  Value* pack_groups(const PackedBlock& packed);
  PackedBlock rows_of(const PackedBlock& packed, const Tile& tile);

  void emit_panels();
  void emit_block(PanelBlock& block);
  void pack_columns(PanelBlock& block);
  PackedBlock columns_of(const PackedBlock& packed, const PanelBlock& block, Value* column);
  void for_each_panel(const PanelBlock& block, const std::function<void(Value* column)>& body);
  void read_copies(const PanelBlock& block, const Tile& tile, Value* column);
  void emit_sums(const PanelBlock& block, unsigned count);
  void emit_of_chain(const Statement& statement);
  void emit_by_rows(const TilePanel& under, unsigned count, const Values& sums);

  const KernelSite& site_;
  llvm::IRBuilder<>& builder_;
  ElementEmitter& elements_;
  const Loop& loop_;
  const loop::LoopSchedule& schedule_;
  const Loop& columns_;
  TileRows rows_;
  std::vector<PackedBlock> packed_;  // operands, from the first of the units on
  std::optional<Bounds> share_;      // of the columns
};

void TileEmitter::emit() {
  take_share();
  if (schedule_.packed.empty()) return emit_panels();
  const std::int64_t used_before = site_.scratch.used();
  reserve_rows();
  const Bounds all = rows_.units;
  emit_plain(builder_, all, schedule_.packed_tiles, loop_.name, [&](Value* at) {
    Value* end = builder_.CreateAdd(at, i64(builder_, schedule_.packed_tiles));
    rows_.units = within(builder_, {at, end}, all);
    pack_rows();
    emit_panels();
  });
  site_.scratch.free_down_to(used_before);
}

void TileEmitter::take_share() {
  const loop::Share division = site_.bounds.division(loop_);
  if (division == loop::Share::kNothing) return;
  if (division == loop::Share::kPanels) {
    share_ = site_.bounds.share_of(site_.bounds.extent(columns_), schedule_.panels.front().width);
  } else {
    rows_.units = site_.bounds.share_of(rows_.units.end, 1);
  }
}

void TileEmitter::reserve_rows() {
  const loop::Operands operands = loop::operands_of(site_.program, loop_);
  for (const loop::Pack& how : schedule_.packed) {
    // The last unit may hold two tiles.
    const std::int64_t most_rows = (schedule_.packed_tiles + 1) * rows_.tile;
    packed_.push_back(packed_block(site_, operands.of_rows, how, loop_.var, most_rows));
    if (!packed_.back().pack.has_neighbours()) packed_.back().before = &loop_.body;
  }
}

/// Copies the row operands of all units.
void TileEmitter::pack_rows() {
  for (const PackedBlock& packed : packed_) {
    TileRows left = rows_;
    if (packed.how.group > 1) left.units.begin = pack_groups(packed);
    for_each_tile(site_, left, [&](Value* row, unsigned count) {
      fill(site_, {rows_of(packed, {row, count})});
    });
  }
}

/// Several tiles at a time as far as they go. Answers the first unit that is left.
Value* TileEmitter::pack_groups(const PackedBlock& packed) {
  const std::int64_t count = packed.how.group;
  const auto [first, last] = rows_.units;
  Value* whole = smaller(builder_, last, rows_.whole);
  Value* groups = whole_part(builder_, builder_.CreateSub(whole, first), count);
  Value* left = builder_.CreateAdd(first, groups);
  emit_plain(builder_, {first, left}, count, loop_.name, [&](Value* unit) {
    Value* row = builder_.CreateMul(unit, i64(builder_, rows_.tile));
    std::vector<PackedBlock> group;
    for (std::int64_t i = 0; i < count; ++i) {
      Value* at = builder_.CreateAdd(row, i64(builder_, i * rows_.tile));
      group.push_back(rows_of(packed, {at, rows_.tile}));
    }
    fill(site_, group);
  });
  return left;
}

/// The part of `packed` that belongs to `tile`.
PackedBlock TileEmitter::rows_of(const PackedBlock& packed, const Tile& tile) {
  Value* origin = builder_.CreateMul(rows_.units.begin, i64(builder_, rows_.tile));
  return tile_part(site_, packed, tile.count, tile.row, origin);
}

void TileEmitter::emit_panels() {
  Value* begin = i64(builder_, 0);
  for (const loop::Panel& panel : schedule_.panels) {
    Value* end = site_.bounds.end_of(panel);
    const Bounds columns = within(builder_, {begin, end}, share_);
    const std::int64_t distance = panel.width * panel.reach;
    emit_plain(builder_, columns, distance, columns_.name, [&](Value* at) {
      Value* reach = builder_.CreateAdd(at, i64(builder_, distance));
      PanelBlock block{panel, {at, within(builder_, {at, reach}, columns).end}};
      emit_block(block);
    });
    begin = end;
  }
}

void TileEmitter::emit_block(PanelBlock& block) {
  const std::int64_t used_before = site_.scratch.used();
  pack_columns(block);
  std::optional<OverlappedTiles> overlapped;
  if (schedule_.epilogue == loop::Epilogue::kBeside) overlapped.emplace(site_, TilePanel{rows_, block.panel});
  for_each_tile(site_, rows_, [&](Value* row, unsigned count) {
    for_each_panel(block, [&](Value* column) {
      read_copies(block, {row, count}, column);
      if (overlapped && count == rows_.tile) {
        overlapped->emit_tile();
      } else {
        emit_sums(block, count);
      }
    });
  });
  if (overlapped) overlapped->emit_left();
  for (const PackedBlock& packed : packed_) read_in_place(site_, packed);
  for (const PackedBlock& packed : block.packed) read_in_place(site_, packed);
  site_.scratch.free_down_to(used_before);
}

void TileEmitter::pack_columns(PanelBlock& block) {
  const loop::Operands operands = loop::operands_of(site_.program, loop_);
  for (const loop::Pack& how : block.panel.packed) {
    const std::int64_t most_columns = block.panel.width * block.panel.reach;
    block.packed.push_back(packed_block(site_, operands.of_columns, how, columns_.var, most_columns));
  }
  if (block.packed.empty()) return;
  for_each_panel(block, [&](Value* column) {
    for (const PackedBlock& packed : block.packed) fill(site_, {columns_of(packed, block, column)});
  });
}

/// The part of `packed` that belongs to the panel at `column`.
PackedBlock TileEmitter::columns_of(const PackedBlock& packed, const PanelBlock& block, Value* column) {
  return panel_part(site_, packed, block.panel, column, block.columns.begin);
}

void TileEmitter::for_each_panel(const PanelBlock& block, const std::function<void(Value* column)>& body) {
  const auto at_column = [&](Value* column) {
    elements_.set_var(columns_.var, column);
    body(column);
  };
  if (block.panel.reach == 1) return at_column(block.columns.begin);
  emit_plain(builder_, block.columns, block.panel.width, columns_.name, at_column);
}

/// From now on this tile under the panel at `column` reads what is packed from its copies.
void TileEmitter::read_copies(const PanelBlock& block, const Tile& tile, Value* column) {
  for (const PackedBlock& packed : block.packed) read_panel(site_, columns_of(packed, block, column));
  elements_.set_var(loop_.var, tile.row);
  for (const PackedBlock& packed : packed_) read_tile(site_, rows_of(packed, tile));
}

/// The chains for all rows at once; what is done to their sums row by row, written out or, where that would
/// be long, in a loop.
void TileEmitter::emit_sums(const PanelBlock& block, unsigned count) {
  const loop::TileParts parts = loop::tile_parts(loop_);
  const TilePanel under{rows_, block.panel};
  const bool is_in_loop =
      schedule_.epilogue == loop::Epilogue::kByRows || schedule_.epilogue == loop::Epilogue::kBeside;
  Values sums;
  const auto emit_parts = [&] {
    prefetch_far(elements_, loop_, parts);
    for (const Statement* statement : parts.chains) emit_of_chain(*statement);
    if (site_.waiting != nullptr && !site_.waiting->is_over()) return;
    if (is_in_loop) {
      sums = tile_values(elements_, *loop::single_chain(parts), &loop::Carried::result);
      return;
    }
    elements_.row_by_row([&] {
      for (const Statement* statement : parts.after) emit_statement(site_, *statement);
    });
  };
  elements_.at_rows(count, loop_.var, [&] { elements_.at_lanes(under.lanes(), emit_parts); });
  if (is_in_loop) emit_by_rows(under, count, sums);
}

void TileEmitter::emit_of_chain(const Statement& statement) {
  if (site_.waiting != nullptr && !statement.loop.empty()) {
    site_.waiting->emit_chain();
  } else {
    emit_statement(site_, statement);
  }
}

void TileEmitter::emit_by_rows(const TilePanel& under, unsigned count, const Values& sums) {
  SumSlots slots(site_, under, count);
  slots.take(sums);
  slots.store(sums);
  Value* first = elements_.var(loop_.var);
  Value* column = elements_.var(columns_.var);
  emit_plain(builder_, {i64(builder_, 0), i64(builder_, count)}, 1, loop_.name, [&](Value* number) {
    slots.emit_row(number, {builder_.CreateAdd(first, number), column});
  });
  slots.give_back();
}

}  // namespace

void emit_tiles(const KernelSite& site, const Loop& rows) {
  TileEmitter(site, rows).emit();
}

}  // namespace dlg
