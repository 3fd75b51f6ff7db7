#include "codegen/tile.h"

#include <algorithm>
#include <limits>

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
/// Cycles from the operand of a multiply-add to its result: so many chains must run side by side.
constexpr double kChainLatency = 4;
/// A load costs this part of a multiply-add: both are issued twice a cycle, but the loads miss now and then.
constexpr double kLoadCost = 0.7;
/// The same if it comes from the second-level cache.
constexpr double kFarLoadCost = 2;
/// Counting and branching, once for each step of the chain.
constexpr double kStepCost = 1.5;

double cost_of(const TileQuery& query, Tile tile) {
  const double products = tile.vectors * tile.rows;
  const double loads = kLoadCost * tile.vectors + (query.has_far_rows ? kFarLoadCost : kLoadCost) * tile.rows;
  return std::max({products, loads, kChainLatency}) + kStepCost;
}

/// A tile must leave registers for one row of the vectors and one repeated element.
unsigned most_rows(unsigned vectors, const VectorUnit& unit) {
  return std::clamp((unit.registers - 1 - vectors) / vectors, 1U, kMostRows);
}

/// The cost of covering `rows` rows by tiles of `tile.rows`: the rest of a known number is a tile of its own,
/// the rest of the valid rows goes one by one.
double cost_of_rows(const TileQuery& query, Tile tile) {
  const bool is_batch = query.rows == kBatch;
  const std::int64_t rows = is_batch ? query.batch : query.rows;
  const std::int64_t whole = rows / tile.rows;
  const auto rest = static_cast<unsigned>(rows % tile.rows);
  double cost = static_cast<double>(whole) * cost_of(query, tile);
  if (rest > 0 && is_batch) cost += rest * cost_of(query, {tile.vectors, 1});
  if (rest > 0 && !is_batch) cost += cost_of(query, {tile.vectors, rest});
  return cost;
}

struct Choice {
  unsigned rows = 1;
  double cost = std::numeric_limits<double>::max();
};

/// The best number of rows for panels of `vectors` vectors.
Choice best_rows(const TileQuery& query, unsigned vectors, const VectorUnit& unit) {
  Choice best;
  for (unsigned rows = most_rows(vectors, unit); rows > 0; --rows) {
    if (query.rows != kBatch && rows > query.rows) continue;
    const double cost = cost_of_rows(query, {vectors, rows});
    if (cost < best.cost) best = {rows, cost};
  }
  return best;
}

struct Cover {
  std::vector<Panel> panels;
  double cost = 0;
};

/// Panels of `vectors` vectors as far as they go, then narrower ones; the last lanes by ever shorter vectors.
Cover cover_from(const TileQuery& query, unsigned vectors, const VectorUnit& unit) {
  Cover cover;
  const unsigned lanes = unit.bytes / static_cast<unsigned>(query.element_bytes);
  std::int64_t done = 0;
  const auto take = [&](unsigned width) {
    const std::int64_t end = done + (query.columns - done) / width * width;
    if (end == done) return;
    const Choice choice = best_rows(query, std::max(1U, width / lanes), unit);
    const std::int64_t panels = (end - done) / width;
    cover.cost += choice.cost * static_cast<double>(panels);
    cover.panels.push_back({done, end, width, choice.rows});
    done = end;
  };
  for (unsigned count = vectors; count > 0; count /= 2) take(count * lanes);
  for (unsigned width = lanes / 2; width > 0; width /= 2) take(width);
  return cover;
}

}  // namespace

std::vector<Panel> choose_panels(const TileQuery& query, const VectorUnit& unit) {
  if (query.columns == kBatch) {
    const unsigned lanes = unit.bytes / static_cast<unsigned>(query.element_bytes);
    const unsigned rows = best_rows(query, 1, unit).rows;
    return {{0, kBatch, lanes, rows}, {0, kBatch, 1, rows}};
  }
  Cover best = cover_from(query, 1, unit);
  for (unsigned vectors = 2; vectors <= kMostVectors; vectors *= 2) {
    Cover cover = cover_from(query, vectors, unit);
    if (cover.cost < best.cost) best = std::move(cover);
  }
  return best.panels;
}

std::vector<Panel> choose_row_panels(const TileQuery& query, const VectorUnit& unit) {
  TileQuery row = query;
  row.rows = 1;
  return choose_panels(row, unit);
}

bool has_loops(const loop::Body& body) {
  return std::any_of(body.begin(), body.end(), [](const loop::Statement& s) { return !s.loop.empty(); });
}

namespace {

/// Serial loops all the way down.
bool is_chain(const loop::Loop& loop) {
  return loop.kind == loop::LoopKind::kSerial &&
         std::all_of(loop.body.begin(), loop.body.end(), [](const loop::Statement& s) {
           return !s.store && std::all_of(s.loop.begin(), s.loop.end(), is_chain);
         });
}

bool has_only_chains(const loop::Body& body) {
  return std::all_of(body.begin(), body.end(), [](const loop::Statement& s) {
    return std::all_of(s.loop.begin(), s.loop.end(), is_chain);
  });
}

}  // namespace

bool is_tileable(const loop::Loop& rows) {
  if (rows.kind != loop::LoopKind::kParallel || rows.body.empty() || rows.body.back().loop.empty())
    return false;
  const bool is_plain_before =
      std::all_of(rows.body.begin(), rows.body.end() - 1,
                  [](const loop::Statement& s) { return s.instruction.has_value(); });
  const loop::Loop& columns = rows.body.back().loop.front();
  return is_plain_before && columns.kind == loop::LoopKind::kVector && has_loops(columns.body) &&
         has_only_chains(columns.body);
}

}  // namespace dlg
