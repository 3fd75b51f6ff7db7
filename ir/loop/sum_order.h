// Owns the order of sums: how a sum falls into blocks, and blocks into runs. It follows from the logical
// shape alone, never from target, tile, threads or valid rows. docs/ir.md has it in words.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace dlg::loop {

/// No chain of additions is longer: neither within a block, nor of blocks, nor of runs.
inline constexpr std::int64_t kLongestChain = 256;
/// Lanes of a reduction: part of the meaning, not of the target.
inline constexpr std::int64_t kLaneCount = 16;

enum class SumForm : std::uint8_t {
  kChains,  // a block is one chain
  kLanes,   // a block is 16 chains, by the innermost index mod 16, and a tree
};

/// A block is a piece of one axis, the cut one, with all of the axes inside it and one index of each axis
/// outside. Blocks are numbered in loop order, those without any valid row included.
struct SumOrder {
  std::vector<std::size_t> axes;  // all summed axes, from outermost to innermost: as given, the batch last
  std::size_t cut = 0;            // place in `axes`
  std::int64_t piece = 0;         // indices of the cut axis in a block, the last piece may be shorter
  std::int64_t pieces = 1;        // of the cut axis
  std::int64_t blocks = 1;
  /// 0: one block. Else blocks are added in runs of 256 numbers, runs in runs of 256, and so on: so many
  /// ranks.
  int ranks = 0;
};

/// The order of a sum over `extents`, where kBatch stands for `batch` rows, the number that the program is
/// made for.
SumOrder sum_order(std::span<const std::int64_t> extents, SumForm form, std::int64_t batch);

/// The most additions between an element and the sum.
std::int64_t additions_on_path(std::span<const std::int64_t> extents, SumForm form, std::int64_t batch);

}  // namespace dlg::loop
