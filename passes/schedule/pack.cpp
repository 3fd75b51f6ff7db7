#include "passes/schedule/pack.h"

#include <algorithm>
#include <bit>

#include "ir/loop/nest.h"

namespace dlg {
namespace {

using loop::Operand;
using loop::Pack;

/// Shorter chains do not wait for memory.
constexpr std::int64_t kLeastSteps = 16;
/// A copy of columns that are neighbours already pays from so many tiles on.
constexpr std::int64_t kLeastTiles = 3;
/// A copy of the rows pays from so many panels on.
constexpr std::int64_t kLeastPanels = 4;
/// So many tiles of rows that are neighbours share cache lines.
constexpr std::int64_t kTilesSideBySide = 8;

/// Whether steps are so far apart that they fall on few sets of the first-level cache.
bool is_far(const Operand& operand, const loop::Core& core) {
  const std::int64_t distance = operand.chain_stride * dtype_bytes(operand.load->dtype);
  return operand.has_neighbours() && !operand.is_indirect && distance >= core.far_stride;
}

/// Bytes of a copy of so many lanes.
std::int64_t packed_bytes(const Operand& operand, std::int64_t lanes) {
  return operand.steps * lanes * dtype_bytes(operand.load->dtype);
}

/// The side of the squares in which the elements of so many lanes are turned over: one vector at most.
unsigned square_of(const Operand& operand, unsigned lanes, const loop::Core& core) {
  if (!operand.is_turned()) return 1;
  const auto element_bytes = static_cast<unsigned>(dtype_bytes(operand.load->dtype));
  return std::min(std::bit_ceil(lanes), core.vector_bytes / element_bytes);
}

}  // namespace

std::vector<Pack> choose_column_packs(const TileNest& nest, const TiledPanel& tiled) {
  const loop::Panel& panel = tiled.panel;
  const bool is_read_often = loop::declared_extent(nest.program, nest.rows) > kLeastTiles * tiled.rows;
  std::vector<Pack> packs;
  for (const Operand& operand : nest.operands.of_columns) {
    if (panel.width == 1 || packed_bytes(operand, panel.width) > nest.core.packed_bytes) continue;
    const bool is_long_and_far = is_far(operand, nest.core) && operand.steps >= kLeastSteps;
    const bool is_worth = is_long_and_far || operand.is_indirect || panel.lanes() < panel.width;
    if (!operand.has_neighbours() || (is_read_often && is_worth))
      packs.push_back({operand.load->result, square_of(operand, panel.width, nest.core)});
  }
  return packs;
}

std::vector<Pack> choose_row_packs(const TileNest& nest, const TiledPanel& tiled) {
  const std::int64_t columns = loop::declared_extent(nest.program, loop::column_loop(nest.rows));
  std::vector<Pack> packs;
  for (const Operand& operand : nest.operands.of_rows) {
    const bool fits = packed_bytes(operand, tiled.rows) <= nest.core.packed_bytes / 4;
    const bool is_worth = columns >= kLeastPanels * tiled.panel.width && operand.steps >= kLeastSteps;
    if (!fits || !is_worth) continue;
    packs.push_back({operand.load->result, square_of(operand, tiled.rows, nest.core),
                     operand.has_neighbours() ? kTilesSideBySide : 1});
  }
  return packs;
}

std::int64_t panels_in_reach(const TileNest& nest, const loop::Panel& panel) {
  std::int64_t bytes = 0;
  for (const Operand& operand : nest.operands.of_columns) bytes += packed_bytes(operand, panel.width);
  return std::max<std::int64_t>(1, nest.core.reach_bytes / std::max<std::int64_t>(1, bytes));
}

}  // namespace dlg
