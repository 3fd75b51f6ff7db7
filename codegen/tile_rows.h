// Owns how the rows of a contraction fall into register tiles when it runs, and where such a tile stands.
#pragma once

#include <functional>
#include <vector>

#include "codegen/kernel_site.h"
#include "ir/loop/nest.h"

namespace dlg {

/// The rows of a nest, in units: whole tiles and, as the last unit, all that they leave.
struct TileRows {
  const loop::Loop& loop;
  unsigned tile = 1;                   // rows of a whole one
  std::vector<unsigned> rest = {};     // tiles of the last unit, if the number of rows is the expected one
  llvm::Value* end = nullptr;          // rows
  llvm::Value* whole = nullptr;        // whole tiles
  llvm::Value* is_expected = nullptr;  // null: any other number is out of the question
  Bounds units = {};                   // of this worker, or of the part of them that is packed
};

/// All rows in tiles. Of a batch the whole one is expected; any other leaves single rows.
TileRows tile_rows(const KernelSite& site, const loop::Loop& rows);

/// Whole tiles, then what the last unit holds if it is among the units.
void for_each_tile(const KernelSite& site, const TileRows& rows,
                   const std::function<void(llvm::Value* row, unsigned count)>& body);

/// Rows under one panel of their columns.
struct TilePanel {
  const TileRows& rows;
  const loop::Panel& panel;

  const loop::Loop& columns() const { return loop::column_loop(rows.loop); }
  ElementEmitter::Lanes lanes() const { return {panel.width, columns().var, panel.lanes()}; }
};

/// Asks for what the schedule wants early, for every row of the tile.
void prefetch_far(ElementEmitter& elements, const loop::Loop& rows, const loop::TileParts& parts);

}  // namespace dlg
