// Owns the table of cores: what a schedule may count on. One row a kind of core; decisions read nothing else
// of a machine.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace dlg::loop {

/// A product and a sum are rounded once, or twice.
enum class FmaSupport : std::uint8_t { kNone, kNative };

/// Rows and vectors of a register tile; 0: whatever costs least.
struct TileShape {
  unsigned rows = 0;
  unsigned vectors = 0;
};

struct Core {
  std::string_view name;
  FmaSupport fma = FmaSupport::kNone;
  unsigned vector_bytes = 16;
  unsigned registers = 16;  // for vectors
  /// Cycles from the operand of a multiply-add to its result: so many chains must run side by side.
  double chain_latency = 4;
  /// A load costs what a multiply-add costs: both are issued twice a cycle.
  double load_cost = 1;
  /// What a row of a tile costs besides where the sums meet what comes from far away: few rows of many
  /// columns are read in longer runs.
  double far_row_cost = 0.2;
  /// Counting and branching, once for each step of a chain.
  double step_cost = 1.5;
  /// Steps that are further apart, in bytes, fall on few sets of the first-level cache.
  std::int64_t far_stride = 512;
  /// A buffer of more bytes does not stay near while a kernel runs.
  std::int64_t near_bytes = std::int64_t{1} << 17;
  /// The cache to which such a buffer is brought early: its rows often fall on few sets of the first.
  unsigned early_level = 2;
  /// What panels side by side may take of the second-level cache.
  std::int64_t reach_bytes = std::int64_t{1} << 18;
  /// Copies of an operand must stay well inside the caches.
  std::int64_t packed_bytes = std::int64_t{1} << 20;
  TileShape tile = {};  // for measurements: the tile to take
};

/// Widest first.
std::span<const Core> cores();
/// The row of that name; null: there is none.
const Core* find_core(std::string_view name);

}  // namespace dlg::loop
