// Owns the question which operands of a contraction are copied together before the tiles read them.
#pragma once

#include <vector>

#include "codegen/tile.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// One operand of a chain that is read again and again: its elements for some lanes - columns of a panel, or
/// rows of a tile - are copied into a block `[k][lanes]`, in which they lie one behind the other.
struct Pack {
  const loop::Instruction* load = nullptr;
  std::vector<const loop::Loop*> chain;  // the loops around the load, outermost first, blocks left out
  std::vector<const loop::Instruction*> inputs;  // inside the chain: what the indices are computed from
  std::int64_t lane_stride = 0;                  // elements from one lane to the next
  std::int64_t chain_stride = 0;                 // elements from one step of the innermost loop to the next
  std::int64_t steps = 0;                        // of all loops together, at the declared batch size
  bool is_scattered = false;                     // a register says where a lane lies
  bool is_indirect = false;                      // a register says where a step lies

  bool has_neighbours() const { return lane_stride == 1 && !is_scattered; }
  /// Whether steps are so far apart that they fall on few sets of the first-level cache.
  bool is_far() const {
    constexpr std::int64_t kFarBytes = 512;
    return has_neighbours() && !is_indirect && chain_stride * dtype_bytes(load->dtype) >= kFarBytes;
  }
  /// Whether steps of one lane are neighbours: squares of them can be turned over.
  bool is_turned() const { return !has_neighbours() && chain_stride == 1 && !is_indirect; }
};

/// The operands under `panel` of the nest `rows` that are worth a copy: columns that are no neighbours or too
/// few for the vectors, or steps so far apart that they fall on the same sets of the caches.
std::vector<Pack> choose_column_packs(const loop::Program& program, const loop::Loop& rows,
                                      const Panel& panel);

/// The operands that each panel reads again for the rows of a tile.
std::vector<Pack> choose_row_packs(const loop::Program& program, const loop::Loop& rows, const Panel& panel);

/// How many panels like `panel` have column operands that fit the second-level cache together, 1 at least.
std::int64_t panels_in_reach(const loop::Program& program, const loop::Loop& rows, const Panel& panel);

/// Copies of an operand must stay well inside the caches.
inline constexpr std::int64_t kMostPackedBytes = 1 << 20;

}  // namespace dlg
