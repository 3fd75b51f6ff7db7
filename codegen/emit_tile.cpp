// Owns the emission of register tiles: rows and columns of a contraction side by side, with everything that
// is done to the sums while they are in registers.
#include "codegen/kernel_emitter.h"

namespace dlg {

using llvm::Value;
using loop::Loop;
using loop::VarId;

void KernelEmitter::emit_tiles(const Loop& rows) {
  const Loop& columns = rows.body.back().loop.front();
  const std::int64_t bytes = widest_element(columns.body);
  const std::vector<Panel> panels = choose_panels(
      {rows.extent, columns.extent, program_.batch, bytes, has_far_rows(program_, rows)}, unit_);
  const auto end_of = [&](std::int64_t extent) { return extent == kBatch ? rows_ : i64(extent); };
  TileRows tiles{rows, {i64(0), end_of(rows.extent)}, panels.front().rows};
  std::optional<Bounds> column_share;
  if (is_divided(rows)) {
    const std::int64_t row_units = units_of(rows.extent, panels.front().rows);
    const std::int64_t column_units = units_of(columns.extent, panels.front().width);
    // On a tie by columns: each worker then packs and reads its own part of the repeated operand.
    if (unevenness(column_units) <= unevenness(row_units)) {
      column_share = share_of(end_of(columns.extent), panels.front().width);
    } else {
      tiles.bounds = share_of(tiles.bounds.end, tiles.unit);
    }
  }
  Value* begin = i64(0);
  for (const Panel& panel : panels) {
    Value* end = whole_part(end_of(panel.end), panel.width);
    emit_plain(within({begin, end}, column_share), panel.width, columns.name,
               [&](Value* at) { emit_panel(tiles, panel, at); });
    begin = end;
  }
}

std::int64_t KernelEmitter::units_of(std::int64_t extent, std::int64_t unit) const {
  return ((extent == kBatch ? program_.batch : extent) + unit - 1) / unit;
}

/// All rows of one panel: whole tiles, then the rest, which is a tile of its own if its size is known.
void KernelEmitter::emit_panel(const TileRows& rows, const Panel& panel, Value* column) {
  const Loop& columns = rows.loop.body.back().loop.front();
  elements_.set_var(columns.var, column);
  const std::vector<Pack> packs = choose_packs(program_, rows.loop, panel);
  for (const Pack& pack : packs) emit_pack(pack, panel, columns.var);
  const auto [begin, end] = rows.bounds;
  Value* whole = builder_.CreateAdd(begin, whole_part(builder_.CreateSub(end, begin), panel.rows));
  emit_tile(rows.loop, panel, panel.rows, {begin, whole});
  const bool is_rest_known =
      rows.loop.extent != kBatch && (!is_divided(rows.loop) || rows.unit == panel.rows);
  const auto rest = is_rest_known ? static_cast<unsigned>(rows.loop.extent % panel.rows) : 1;
  if (rest > 0) emit_tile(rows.loop, panel, rest, {whole, end});
  elements_.clear_packed();
}

void KernelEmitter::emit_tile(const Loop& rows, const Panel& panel, unsigned row_count,
                              const Bounds& bounds) {
  const Loop& columns = rows.body.back().loop.front();
  emit_plain(bounds, row_count, rows.name, [&](Value* at) {
    elements_.set_var(rows.var, at);
    elements_.at_rows(row_count, rows.var, [&] {
      for (const loop::Statement& statement : rows.body) {
        if (statement.instruction) elements_.emit_instruction(*statement.instruction);
      }
      elements_.at_width(panel.width, panel.width == 1 ? VarId{} : columns.var,
                         [&] { emit_columns(columns.body); });
    });
  });
}

/// The chains for all rows at once; what is done to their sums row by row.
void KernelEmitter::emit_columns(const loop::Body& body) {
  std::size_t chains = body.size();
  while (body[chains - 1].loop.empty()) --chains;
  for (std::size_t i = 0; i < chains; ++i) emit_statement(body[i]);
  elements_.row_by_row([&] {
    for (std::size_t i = chains; i < body.size(); ++i) emit_statement(body[i]);
  });
}

}  // namespace dlg
