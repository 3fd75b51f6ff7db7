// Owns the choice of register tiles: how many rows and columns of a contraction are kept in registers at
// once.
#pragma once

#include <algorithm>
#include <vector>

#include "codegen/vector_unit.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// A run of columns taken `width` lanes at a time, up to `end` (kBatch: as far as whole vectors of the valid
/// rows reach), by tiles of `rows` rows. A run narrower than its width is one panel with idle lanes.
struct Panel {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  unsigned width = 1;
  unsigned rows = 1;

  /// Lanes that stand for a column.
  unsigned lanes() const {
    return end == kBatch ? width : static_cast<unsigned>(std::min<std::int64_t>(width, end - begin));
  }
};

/// What a tile is made for.
struct TileQuery {
  std::int64_t rows = 0;     // iterations of the parallel loop; kBatch: any number up to `batch`
  std::int64_t columns = 0;  // iterations of the vector loop; kBatch likewise
  std::int64_t batch = 0;
  std::int64_t element_bytes = 4;
};

/// Panels that cover all columns, cheapest in all by a count of multiply-adds, loads and latencies. The
/// result of a contraction does not depend on them: each element is a chain of its own.
std::vector<Panel> choose_panels(const TileQuery& query, const VectorUnit& unit);

/// The most rows of a tile of `vectors` vectors: there must be registers left for one row of the vectors and
/// one repeated element.
unsigned most_rows(unsigned vectors, const VectorUnit& unit);

/// How many whole tiles of `tile` rows lie in `rows`, and the tiles of the rest: none, one or two. A rest too
/// short to hide the latency of its chains takes a whole tile's rows along.
struct RowTiles {
  std::int64_t whole = 0;
  std::vector<unsigned> rest;
};
RowTiles row_tiles(std::int64_t rows, unsigned tile);

/// The tiles that take what whole tiles leave of any number of rows, largest first, the last of one row.
std::vector<unsigned> rest_tiles(unsigned tile);

/// The same for a vector loop without a parallel loop around it: one row.
std::vector<Panel> choose_row_panels(const TileQuery& query, const VectorUnit& unit);

/// Whether `rows` is a parallel loop over a vector loop with chains in it, and nothing else that loops.
bool is_tileable(const loop::Loop& rows);

/// Whether such a nest stands in `body` or its loops.
bool has_tiles(const loop::Body& body);

/// The statements of such a nest: the chains with what they need, then all else, which would only hold
/// registers meanwhile.
struct TileParts {
  std::vector<const loop::Statement*> chains;
  std::vector<const loop::Statement*> after;
};
TileParts tile_parts(const loop::Loop& rows);

/// Whether a loop stands in `body`.
bool has_loops(const loop::Body& body);

}  // namespace dlg
