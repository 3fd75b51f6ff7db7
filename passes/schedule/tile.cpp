#include "passes/schedule/tile.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

namespace dlg {
namespace {

/// A tile in whole vectors and its cost in cycles for one step of the chain.
struct Tile {
  unsigned vectors;
  unsigned rows;
};

/// Vectors beside each other are one value in LLVM, which splits powers of two well and nothing else.
constexpr unsigned kMostVectors = 4;
constexpr unsigned kMostRows = 14;
/// Of one vector: the more rows share its load, the better.
constexpr unsigned kMostRowsOfOneVector = 16;

/// The tiles that take what whole tiles leave of any number of rows, largest first, the last of one row.
std::vector<unsigned> rest_tiles(unsigned tile) {
  std::vector<unsigned> sizes;
  for (unsigned size = 8; size > 0; size /= 2) {
    if (size < tile) sizes.push_back(size);
  }
  return sizes;
}

/// The rest of `rows` valid rows after whole tiles, by the tiles that code for any number of rows has.
std::vector<unsigned> batch_rest(std::int64_t rows, unsigned tile) {
  std::vector<unsigned> rest;
  auto left = static_cast<unsigned>(rows % tile);
  for (const unsigned size : rest_tiles(tile)) {
    for (; left >= size; left -= size) rest.push_back(size);
  }
  return rest;
}

double cost_of(const TileQuery& query, Tile tile, const loop::Core& core) {
  const double products = tile.vectors * tile.rows;
  const double loads = core.load_cost * (tile.vectors + tile.rows);
  const double far = query.meets_far ? core.far_row_cost * tile.rows : 0;
  return std::max({products, loads, core.chain_latency}) + core.step_cost + far;
}

/// The cost of covering all rows by tiles of `tile.rows`; the rest of the valid rows goes by ever smaller
/// tiles.
double cost_of_rows(const TileQuery& query, Tile tile, const loop::Core& core) {
  const bool is_batch = query.rows == kBatch;
  const std::int64_t rows = is_batch ? query.batch : query.rows;
  const RowTiles tiles =
      is_batch ? RowTiles{rows / tile.rows, batch_rest(rows, tile.rows)} : row_tiles(rows, tile.rows);
  double cost = static_cast<double>(tiles.whole) * cost_of(query, tile, core);
  for (const unsigned rest : tiles.rest) cost += cost_of(query, {tile.vectors, rest}, core);
  return cost;
}

struct Choice {
  unsigned rows = 1;
  double cost = std::numeric_limits<double>::max();
};

/// The best number of rows for panels of `vectors` vectors.
Choice best_rows(const TileQuery& query, unsigned vectors, const loop::Core& core) {
  Choice best;
  for (unsigned rows = most_rows(vectors, core); rows > 0; --rows) {
    if (query.rows != kBatch && rows > query.rows) continue;
    if (vectors == core.tile.vectors && rows > core.tile.rows) continue;
    const double cost = cost_of_rows(query, {vectors, rows}, core);
    if (cost < best.cost) best = {rows, cost};
  }
  return best;
}

struct Cover {
  std::vector<TiledPanel> panels;
  double cost = 0;
};

struct Covering {
  const TileQuery& query;
  const loop::Core& core;
  unsigned lanes;

  void append(Cover& cover, std::int64_t end, unsigned width) const {
    const std::int64_t begin = cover.panels.empty() ? 0 : cover.panels.back().panel.end;
    const Choice choice = best_rows(query, std::max(1U, width / lanes), core);
    const std::int64_t panels = (end - begin + width - 1) / width;
    cover.cost += choice.cost * static_cast<double>(panels);
    cover.panels.push_back({{.begin = begin, .end = end, .width = width}, choice.rows});
  }

  /// `cover` and the columns behind it: whole panels of `vectors` vectors, then narrower ones or a single one
  /// with idle lanes, whichever is cheaper.
  Cover rest_of(Cover cover, unsigned vectors) const {
    const unsigned width = vectors * lanes;
    const std::int64_t begin = cover.panels.empty() ? 0 : cover.panels.back().panel.end;
    const std::int64_t whole = begin + (query.columns - begin) / width * width;
    if (whole > begin) append(cover, whole, width);
    if (whole == query.columns) return cover;
    Cover idle = cover;
    append(idle, query.columns, std::bit_ceil(static_cast<unsigned>(query.columns - whole)));
    if (vectors == 1) return idle;
    Cover narrow = rest_of(std::move(cover), vectors / 2);
    return narrow.cost < idle.cost ? narrow : idle;
  }
};

/// Whole panels of `vectors` vectors, what they leave in ever narrower ones, at last single columns.
std::vector<TiledPanel> halving_panels(unsigned vectors, unsigned lanes, unsigned rows) {
  std::vector<TiledPanel> panels;
  for (; vectors > 0; vectors /= 2) panels.push_back({{.end = kBatch, .width = vectors * lanes}, rows});
  panels.push_back({{.end = kBatch, .width = 1}, rows});
  return panels;
}

/// Columns along the batch, by what they cost where it is whole.
std::vector<TiledPanel> batch_panels(const TileQuery& query, const loop::Core& core) {
  const unsigned lanes = core.vector_bytes / static_cast<unsigned>(query.element_bytes);
  std::vector<TiledPanel> best;
  double least = std::numeric_limits<double>::max();
  for (unsigned vectors = 1; vectors <= kMostVectors && vectors * lanes <= query.batch; vectors *= 2) {
    const Choice choice = best_rows(query, vectors, core);
    double cost = 0;
    std::int64_t left = query.batch;
    for (unsigned part = vectors; part > 0; part /= 2) {
      const std::int64_t width = part * lanes;
      cost += static_cast<double>(left / width) * cost_of_rows(query, {part, choice.rows}, core);
      left %= width;
    }
    cost += static_cast<double>(left) * cost_of_rows(query, {1, choice.rows}, core);
    if (cost >= least) continue;
    least = cost;
    best = halving_panels(vectors, lanes, choice.rows);
  }
  return best.empty() ? halving_panels(1, lanes, best_rows(query, 1, core).rows) : best;
}

}  // namespace

std::vector<TiledPanel> choose_panels(const TileQuery& query, const loop::Core& core) {
  if (query.columns == kBatch) return batch_panels(query, core);
  const Covering covering{query, core, core.vector_bytes / static_cast<unsigned>(query.element_bytes)};
  std::optional<Cover> best;
  for (unsigned vectors = 1; vectors <= kMostVectors; vectors *= 2) {
    if (core.tile.vectors != 0 && vectors != core.tile.vectors) continue;
    Cover cover = covering.rest_of({}, vectors);
    if (!best || cover.cost < best->cost) best = std::move(cover);
  }
  return best->panels;
}

unsigned most_rows(unsigned vectors, const loop::Core& core) {
  return std::clamp((core.registers - 1 - vectors) / vectors, 1U,
                    vectors == 1 ? kMostRowsOfOneVector : kMostRows);
}

RowTiles row_tiles(std::int64_t rows, unsigned tile) {
  const std::int64_t whole = rows / tile;
  const auto rest = static_cast<unsigned>(rows % tile);
  if (rest == 0) return {whole, {}};
  if (whole == 0 || 2 * rest > tile) return {whole, {rest}};
  const unsigned both = tile + rest;
  return {whole - 1, {(both + 1) / 2, both / 2}};
}

}  // namespace dlg
