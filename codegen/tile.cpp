#include "codegen/tile.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <optional>
#include <set>

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
/// Of one vector: enough to hide the latency, and few enough for a pointer to each row.
constexpr unsigned kMostRowsOfOneVector = 8;
/// Cycles from the operand of a multiply-add to its result: so many chains must run side by side.
constexpr double kChainLatency = 4;
/// A load costs what a multiply-add costs: both are issued twice a cycle.
constexpr double kLoadCost = 1;
/// Counting and branching, once for each step of the chain.
constexpr double kStepCost = 1.5;

/// The rest of `rows` valid rows after whole tiles, by the tiles that code for any number of rows has.
std::vector<unsigned> batch_rest(std::int64_t rows, unsigned tile) {
  std::vector<unsigned> rest;
  auto left = static_cast<unsigned>(rows % tile);
  for (const unsigned size : rest_tiles(tile)) {
    for (; left >= size; left -= size) rest.push_back(size);
  }
  return rest;
}

double cost_of(Tile tile) {
  const double products = tile.vectors * tile.rows;
  const double loads = kLoadCost * (tile.vectors + tile.rows);
  return std::max({products, loads, kChainLatency}) + kStepCost;
}

/// The cost of covering all rows by tiles of `tile.rows`; the rest of the valid rows goes by ever smaller
/// tiles.
double cost_of_rows(const TileQuery& query, Tile tile) {
  const bool is_batch = query.rows == kBatch;
  const std::int64_t rows = is_batch ? query.batch : query.rows;
  const RowTiles tiles =
      is_batch ? RowTiles{rows / tile.rows, batch_rest(rows, tile.rows)} : row_tiles(rows, tile.rows);
  double cost = static_cast<double>(tiles.whole) * cost_of(tile);
  for (const unsigned rest : tiles.rest) cost += cost_of({tile.vectors, rest});
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
    if (vectors == unit.tile.vectors && rows > unit.tile.rows) continue;
    const double cost = cost_of_rows(query, {vectors, rows});
    if (cost < best.cost) best = {rows, cost};
  }
  return best;
}

struct Cover {
  std::vector<Panel> panels;
  double cost = 0;
};

struct Covering {
  const TileQuery& query;
  const VectorUnit& unit;
  unsigned lanes;

  void append(Cover& cover, std::int64_t end, unsigned width) const {
    const std::int64_t begin = cover.panels.empty() ? 0 : cover.panels.back().end;
    const Choice choice = best_rows(query, std::max(1U, width / lanes), unit);
    const std::int64_t panels = (end - begin + width - 1) / width;
    cover.cost += choice.cost * static_cast<double>(panels);
    cover.panels.push_back({begin, end, width, choice.rows});
  }

  /// `cover` and the columns behind it: whole panels of `vectors` vectors, then narrower ones or a single one
  /// with idle lanes, whichever is cheaper.
  Cover rest_of(Cover cover, unsigned vectors) const {
    const unsigned width = vectors * lanes;
    const std::int64_t begin = cover.panels.empty() ? 0 : cover.panels.back().end;
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

}  // namespace

std::vector<Panel> choose_panels(const TileQuery& query, const VectorUnit& unit) {
  if (query.columns == kBatch) {
    const unsigned lanes = unit.bytes / static_cast<unsigned>(query.element_bytes);
    const unsigned rows = best_rows(query, 1, unit).rows;
    return {{0, kBatch, lanes, rows}, {0, kBatch, 1, rows}};
  }
  const Covering covering{query, unit, unit.bytes / static_cast<unsigned>(query.element_bytes)};
  std::optional<Cover> best;
  for (unsigned vectors = 1; vectors <= kMostVectors; vectors *= 2) {
    if (unit.tile.vectors != 0 && vectors != unit.tile.vectors) continue;
    Cover cover = covering.rest_of({}, vectors);
    if (!best || cover.cost < best->cost) best = std::move(cover);
  }
  return best->panels;
}

unsigned most_rows(unsigned vectors, const VectorUnit& unit) {
  return std::clamp((unit.registers - 1 - vectors) / vectors, 1U,
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

std::vector<unsigned> rest_tiles(unsigned tile) {
  std::vector<unsigned> sizes;
  for (unsigned size = 8; size > 0; size /= 2) {
    if (size < tile) sizes.push_back(size);
  }
  return sizes;
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

/// Loops nest at most as deep as axes do.
bool has_tiles(const loop::Body& body) {
  return std::any_of(body.begin(), body.end(), [](const loop::Statement& s) {
    return !s.loop.empty() && (is_tileable(s.loop.front()) || has_tiles(s.loop.front().body));
  });
}

namespace {

/// Whether `statement` is a chain or defines a register of `needed`; what it reads joins them then.
bool takes_part(const loop::Statement& statement, std::set<loop::RegId>& needed) {
  if (!statement.instruction) return true;
  if (!needed.contains(statement.instruction->result)) return false;
  needed.insert(statement.instruction->args.begin(), statement.instruction->args.end());
  for (const loop::Index& index : statement.instruction->indices) {
    if (index.dynamic.is_valid()) needed.insert(index.dynamic);
  }
  return true;
}

/// Every register that is read in `loop`. Loops nest at most as deep as axes do.
void collect_reads(const loop::Loop& loop, std::set<loop::RegId>& reads) {
  for (const loop::Carried& carried : loop.carried) reads.insert(carried.initial);
  for (const loop::Statement& statement : loop.body) {
    for (const loop::Loop& inner : statement.loop) collect_reads(inner, reads);
    if (!statement.instruction) continue;
    reads.insert(statement.instruction->args.begin(), statement.instruction->args.end());
    for (const loop::Index& index : statement.instruction->indices) {
      if (index.dynamic.is_valid()) reads.insert(index.dynamic);
    }
  }
}

}  // namespace

TileParts tile_parts(const loop::Loop& rows) {
  const loop::Body& columns = rows.body.back().loop.front().body;
  std::vector<const loop::Statement*> all;
  for (auto at = rows.body.begin(); at != rows.body.end() - 1; ++at) all.push_back(&*at);
  for (const loop::Statement& statement : columns) all.push_back(&statement);
  std::size_t end = all.size();
  while (all[end - 1]->loop.empty()) --end;
  const auto last = all.begin() + static_cast<std::ptrdiff_t>(end);
  // What is stored between chains may be read again behind it.
  if (std::any_of(all.begin(), last, [](const loop::Statement* s) { return s->store.has_value(); }))
    return {{all.begin(), last}, {last, all.end()}};
  TileParts parts;
  std::set<loop::RegId> needed;
  for (std::size_t i = end; i-- > 0;) {
    for (const loop::Loop& chain : all[i]->loop) collect_reads(chain, needed);
    (takes_part(*all[i], needed) ? parts.chains : parts.after).push_back(all[i]);
  }
  std::reverse(parts.chains.begin(), parts.chains.end());
  std::reverse(parts.after.begin(), parts.after.end());
  parts.after.insert(parts.after.end(), last, all.end());
  return parts;
}

}  // namespace dlg
