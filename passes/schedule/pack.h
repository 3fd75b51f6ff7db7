// Owns the choice of operands of a contraction that are copied together before the tiles read them.
#pragma once

#include <vector>

#include "ir/loop/core.h"
#include "ir/loop/operands.h"
#include "passes/schedule/tile.h"

namespace dlg {

/// A nest of rows and columns, its operands, and the core that it is scheduled for.
struct TileNest {
  const loop::Program& program;
  const loop::Loop& rows;
  const loop::Operands& operands;
  const loop::Core& core;
};

/// The loads under `tiled` that are worth a copy: columns that are no neighbours or too few for the vectors,
/// or steps so far apart that they fall on the same sets of the caches.
std::vector<loop::Pack> choose_column_packs(const TileNest& nest, const TiledPanel& tiled);

/// The loads whose elements each panel reads again for the rows of a tile.
std::vector<loop::Pack> choose_row_packs(const TileNest& nest, const TiledPanel& tiled);

/// How many panels like `panel` have column operands that fit the second-level cache together, 1 at least.
std::int64_t panels_in_reach(const TileNest& nest, const loop::Panel& panel);

}  // namespace dlg
