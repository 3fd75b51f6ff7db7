// Owns the choice of register tiles: how many rows and columns of a contraction are kept in registers at
// once.
#pragma once

#include <vector>

#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// What a tile is made for.
struct TileQuery {
  std::int64_t rows = 0;     // iterations of the parallel loop; kBatch: any number up to `batch`
  std::int64_t columns = 0;  // iterations of the vector loop; kBatch likewise
  std::int64_t batch = 0;
  std::int64_t element_bytes = 4;
  bool meets_far = false;  // what the sums are used with comes from far away
};

/// A panel and the rows of its best tile.
struct TiledPanel {
  loop::Panel panel;
  unsigned rows = 1;
};

/// Panels that cover all columns, cheapest in all by a count of multiply-adds, loads and latencies. The
/// result of a contraction does not depend on them: each element is a chain of its own.
std::vector<TiledPanel> choose_panels(const TileQuery& query, const loop::Core& core);

/// The most rows of a tile of `vectors` vectors: there must be registers left for one row of the vectors and
/// one repeated element.
unsigned most_rows(unsigned vectors, const loop::Core& core);

/// How many whole tiles of `tile` rows lie in `rows`, and the tiles of the rest: none, one or two. A rest too
/// short to hide the latency of its chains takes a whole tile's rows along.
struct RowTiles {
  std::int64_t whole = 0;
  std::vector<unsigned> rest;
};
RowTiles row_tiles(std::int64_t rows, unsigned tile);

}  // namespace dlg
