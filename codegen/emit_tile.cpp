// Owns the emission of register tiles: rows and columns of a contraction side by side, with everything that
// is done to the sums while they are in registers.
#include "codegen/kernel_emitter.h"
#include "support/defects.h"

namespace dlg {

using llvm::Value;
using loop::Loop;
using loop::Statement;
using loop::VarId;

void KernelEmitter::emit_tiles(const Loop& loop) {
  const loop::LoopSchedule& schedule = *loop.schedule;
  TileRows rows = tile_rows(loop);
  std::optional<Bounds> share;
  if (bounds_->division(loop) == loop::Share::kPanels) {
    const Loop& columns = column_loop(rows);
    share = bounds_->share_of(bounds_->extent(columns), schedule.panels.front().width);
  } else if (bounds_->is_divided(loop)) {
    rows.units = bounds_->share_of(rows.units.end, 1);
  }
  if (schedule.packed.empty()) return emit_panels(rows, share);
  for (const loop::Operand& pack : chosen(loop::operands_of(program_, loop).of_rows, schedule.packed)) {
    // The last unit may hold two tiles.
    rows.packed.push_back(packed_block(pack, (schedule.packed_tiles + 1) * rows.tile));
    if (!pack.has_neighbours()) rows.packed.back().before = &loop.body;
  }
  const Bounds all = rows.units;
  emit_plain(builder_, all, schedule.packed_tiles, loop.name, [&](Value* at) {
    rows.units = within(builder_, {at, builder_.CreateAdd(at, i64(builder_, schedule.packed_tiles))}, all);
    pack_rows(rows);
    emit_panels(rows, share);
  });
  scratch_->free_down_to(0);
}

/// All rows in tiles. Of a batch the whole one is expected; any other leaves single rows.
KernelEmitter::TileRows KernelEmitter::tile_rows(const Loop& rows) {
  const bool is_batch = rows.extent == kBatch;
  const std::int64_t tile = rows.schedule->tile;
  const std::int64_t whole_count = loop::whole_tiles(program_, rows, loop::declared_extent(program_, rows));
  TileRows result{.loop = rows, .tile = rows.schedule->tile, .rest = rows.schedule->rest, .packed = {}};
  Value* count = i64(builder_, whole_count + (result.rest.empty() ? 0 : 1));
  if (!result.rest.empty() && has_defect(Defect::kLongTileRest)) ++result.rest.back();
  result.end = is_batch ? rows_ : i64(builder_, rows.extent);
  result.whole = i64(builder_, whole_count);
  if (is_batch) {
    result.is_expected = builder_.CreateICmpEQ(rows_, i64(builder_, program_.batch));
    Value* whole = builder_.CreateUDiv(rows_, i64(builder_, tile));
    Value* up = builder_.CreateUDiv(builder_.CreateAdd(rows_, i64(builder_, tile - 1)), i64(builder_, tile));
    result.whole = builder_.CreateSelect(result.is_expected, result.whole, whole);
    count = builder_.CreateSelect(result.is_expected, count, up);
  }
  result.units = {i64(builder_, 0), count};
  return result;
}

void KernelEmitter::emit_panels(const TileRows& rows, const std::optional<Bounds>& share) {
  Value* begin = i64(builder_, 0);
  for (const loop::Panel& panel : rows.loop.schedule->panels) {
    Value* end = bounds_->end_of(panel);
    const Bounds columns = within(builder_, {begin, end}, share);
    const std::int64_t distance = panel.width * panel.reach;
    emit_plain(builder_, columns, distance, column_loop(rows).name, [&](Value* at) {
      Value* reach = builder_.CreateAdd(at, i64(builder_, distance));
      emit_block({rows, panel}, {at, within(builder_, {at, reach}, columns).end});
    });
    begin = end;
  }
}

/// Panels side by side: their operands are copied together, each tile of rows goes over all of them.
void KernelEmitter::emit_block(const PanelBlock& block, const Bounds& columns) {
  const TileRows& rows = block.rows;
  const VarId var = column_loop(rows).var;
  const auto for_each_panel = [&](const std::function<void(Value*)>& body) {
    const auto at_column = [&](Value* column) {
      elements_.set_var(var, column);
      body(column);
    };
    if (block.panel.reach == 1) return at_column(columns.begin);
    emit_plain(builder_, columns, block.panel.width, column_loop(rows).name, at_column);
  };
  const std::int64_t scratch_before = scratch_->used();
  std::vector<PackedBlock> packed;
  for (const loop::Operand& pack :
       chosen(loop::operands_of(program_, rows.loop).of_columns, block.panel.packed)) {
    packed.push_back(packed_block(pack, block.panel.width * block.panel.reach));
    packed.back().lanes.var = var;
  }
  if (!packed.empty()) {
    for_each_panel([&](Value* column) {
      for (const PackedBlock& all : packed) fill({panel_of(all, block.panel, column, columns.begin)});
    });
  }
  std::optional<Waiting> waiting;
  if (is_beside(rows.loop)) waiting.emplace(waiting_sums(rows.loop));
  for_each_tile(rows, [&](Value* row, unsigned count) {
    for_each_panel([&](Value* column) {
      for (const PackedBlock& all : packed) read_panel(panel_of(all, block.panel, column, columns.begin));
      elements_.set_var(rows.loop.var, row);
      read_packed(rows, row, count);
      if (waiting && count == rows.tile) {
        emit_overlapped_tile(block, *waiting);
      } else {
        emit_tile(block, count);
      }
    });
  });
  if (waiting) emit_left_updates(block, *waiting);
  for (const PackedBlock& all : rows.packed) elements_.clear_packed(all.pack.load->result);
  for (const PackedBlock& all : packed) elements_.clear_packed(all.pack.load->result);
  scratch_->free_down_to(scratch_before);
}

/// Copies the row operands of all units. Rows that are neighbours go several tiles at a time: those share
/// cache lines.
void KernelEmitter::pack_rows(const TileRows& rows) {
  constexpr std::int64_t kGroup = 8;
  for (const PackedBlock& packed : rows.packed) {
    TileRows left = rows;
    if (packed.pack.has_neighbours()) {
      const auto [first, last] = rows.units;
      Value* whole = builder_.CreateSelect(builder_.CreateICmpSLT(last, rows.whole), last, rows.whole);
      left.units.begin =
          builder_.CreateAdd(first, whole_part(builder_, builder_.CreateSub(whole, first), kGroup));
      emit_plain(builder_, {first, left.units.begin}, kGroup, rows.loop.name, [&](Value* unit) {
        Value* row = builder_.CreateMul(unit, i64(builder_, rows.tile));
        std::vector<PackedBlock> group;
        for (std::int64_t i = 0; i < kGroup; ++i) {
          group.push_back(
              tile_of(rows, packed, builder_.CreateAdd(row, i64(builder_, i * rows.tile)), rows.tile));
        }
        fill(group);
      });
    }
    for_each_tile(left, [&](Value* row, unsigned count) { fill({tile_of(rows, packed, row, count)}); });
  }
}

/// The part of `packed` that belongs to the tile of `count` rows from `row` on.
KernelEmitter::PackedBlock KernelEmitter::tile_of(const TileRows& rows, const PackedBlock& packed, Value* row,
                                                  unsigned count) {
  PackedBlock tile = packed;
  Value* distance = builder_.CreateSub(row, builder_.CreateMul(rows.units.begin, i64(builder_, rows.tile)));
  Value* elements = builder_.CreateMul(distance, i64(builder_, packed.pack.steps));
  tile.memory = builder_.CreateInBoundsGEP(packed.element, packed.memory, elements);
  tile.lanes = {count, rows.loop.var, count};
  tile.first = row;
  return tile;
}

/// Whole tiles, then what the last unit holds if it is among the units.
void KernelEmitter::for_each_tile(const TileRows& rows, const TileBody& body) {
  const auto [first, last] = rows.units;
  Value* tile = i64(builder_, rows.tile);
  Value* whole = builder_.CreateSelect(builder_.CreateICmpSLT(last, rows.whole), last, rows.whole);
  emit_plain(builder_, {builder_.CreateMul(first, tile), builder_.CreateMul(whole, tile)}, rows.tile,
             rows.loop.name, [&](Value* row) { body(row, rows.tile); });
  Value* at = builder_.CreateMul(rows.whole, tile);
  Value* has_rest =
      builder_.CreateAnd(builder_.CreateICmpSLE(first, rows.whole), builder_.CreateICmpSGT(last, rows.whole));
  Value* end = builder_.CreateSelect(has_rest, rows.end, at);
  for (std::size_t i = 0; i < rows.rest.size(); ++i) {
    std::int64_t count = 1;
    while (i + 1 < rows.rest.size() && rows.rest[i + 1] == rows.rest[i]) ++i, ++count;
    Value* next = builder_.CreateAdd(at, i64(builder_, count * rows.rest[i]));
    Value* is_taken = rows.is_expected == nullptr ? has_rest : builder_.CreateAnd(has_rest, rows.is_expected);
    next = builder_.CreateSelect(is_taken, next, at);
    emit_plain(builder_, {at, next}, rows.rest[i], rows.loop.name,
               [&](Value* row) { body(row, rows.rest[i]); });
    at = next;
  }
  if (rows.is_expected == nullptr) return;
  emit_plain(builder_, {at, end}, 1, rows.loop.name, [&](Value* row) { body(row, 1); });
}

void KernelEmitter::emit_tile(const PanelBlock& block, unsigned count) {
  const Loop& rows = block.rows.loop;
  elements_.at_rows(count, rows.var,
                    [&] { elements_.at_lanes(lanes_of(block), [&] { emit_columns(rows); }); });
}

ElementEmitter::Lanes KernelEmitter::lanes_of(const PanelBlock& block) {
  return {block.panel.width, column_loop(block.rows).var, block.panel.lanes()};
}

/// From now on the row operands of this tile are read from their copy.
void KernelEmitter::read_packed(const TileRows& rows, Value* row, unsigned count) {
  for (const PackedBlock& packed : rows.packed) {
    const PackedBlock tile = tile_of(rows, packed, row, count);
    elements_.set_packed(tile.pack.load->result, [this, tile] {
      Value* place = packed_place(tile, elements_.var(tile.pack.chain.back()->var), elements_.row());
      return builder_.CreateAlignedLoad(tile.element, place, lanes_align(tile, 1));
    });
  }
}

void KernelEmitter::prefetch_far(const loop::TileParts& parts, const Loop& rows) {
  const std::vector<loop::RegId>& far = rows.schedule->prefetched;
  for (const Statement* statement : parts.after) {
    const bool is_far = statement->instruction &&
                        std::find(far.begin(), far.end(), statement->instruction->result) != far.end();
    if (is_far) elements_.prefetch(*statement->instruction);
  }
}

/// The chains for all rows at once; what is done to their sums row by row.
void KernelEmitter::emit_columns(const Loop& rows) {
  const loop::TileParts parts = loop::tile_parts(rows);
  prefetch_far(parts, rows);
  for (const Statement* statement : parts.chains) emit_statement(*statement);
  elements_.row_by_row([&] {
    for (const Statement* statement : parts.after) emit_statement(*statement);
  });
}

}  // namespace dlg
