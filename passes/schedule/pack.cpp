#include "passes/schedule/pack.h"

#include <algorithm>

#include "ir/loop/nest.h"

namespace dlg {
namespace {

using loop::Operand;
using loop::RegId;

/// Shorter chains do not wait for memory.
constexpr std::int64_t kLeastSteps = 16;
/// A copy of columns that are neighbours already pays from so many tiles on.
constexpr std::int64_t kLeastTiles = 3;
/// A copy of the rows pays from so many panels on.
constexpr std::int64_t kLeastPanels = 4;

/// Whether steps are so far apart that they fall on few sets of the first-level cache.
bool is_far(const Operand& operand, const loop::Core& core) {
  const std::int64_t distance = operand.chain_stride * dtype_bytes(operand.load->dtype);
  return operand.has_neighbours() && !operand.is_indirect && distance >= core.far_stride;
}

/// Bytes of a copy of so many lanes.
std::int64_t packed_bytes(const Operand& operand, std::int64_t lanes) {
  return operand.steps * lanes * dtype_bytes(operand.load->dtype);
}

}  // namespace

std::vector<RegId> choose_column_packs(const TileNest& nest, const TiledPanel& tiled) {
  const loop::Panel& panel = tiled.panel;
  const bool is_read_often = loop::declared_extent(nest.program, nest.rows) > kLeastTiles * tiled.rows;
  std::vector<RegId> packs;
  for (const Operand& operand : nest.operands.of_columns) {
    if (panel.width == 1 || packed_bytes(operand, panel.width) > nest.core.packed_bytes) continue;
    const bool is_long_and_far = is_far(operand, nest.core) && operand.steps >= kLeastSteps;
    const bool is_worth = is_long_and_far || operand.is_indirect || panel.lanes() < panel.width;
    if (!operand.has_neighbours() || (is_read_often && is_worth)) packs.push_back(operand.load->result);
  }
  return packs;
}

std::vector<RegId> choose_row_packs(const TileNest& nest, const TiledPanel& tiled) {
  const std::int64_t columns = loop::declared_extent(nest.program, loop::column_loop(nest.rows));
  std::vector<RegId> packs;
  for (const Operand& operand : nest.operands.of_rows) {
    const bool fits = packed_bytes(operand, tiled.rows) <= nest.core.packed_bytes / 4;
    const bool is_worth = columns >= kLeastPanels * tiled.panel.width && operand.steps >= kLeastSteps;
    if (fits && is_worth) packs.push_back(operand.load->result);
  }
  return packs;
}

std::int64_t panels_in_reach(const TileNest& nest, const loop::Panel& panel) {
  std::int64_t bytes = 0;
  for (const Operand& operand : nest.operands.of_columns) bytes += packed_bytes(operand, panel.width);
  return std::max<std::int64_t>(1, nest.core.reach_bytes / std::max<std::int64_t>(1, bytes));
}

}  // namespace dlg
