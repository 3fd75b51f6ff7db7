// Owns the question which operand of a contraction is copied together before the tiles read it.
#pragma once

#include <optional>
#include <vector>

#include "codegen/tile.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// One operand of a chain that is read again for each tile of rows: its elements under one panel of columns
/// are copied into a block `[k][panel width]`, in which vectors lie one behind the other.
struct Pack {
  const loop::Instruction* load = nullptr;
  std::vector<const loop::Loop*> chain;  // the loops around the load, outermost first, blocks left out
  std::int64_t column_stride = 0;        // elements from one column to the next
  std::int64_t chain_stride = 0;         // elements from one step of the innermost loop to the next
  std::int64_t steps = 0;                // of all loops together, at the declared batch size
};

/// The operands under `panel` of the nest `rows` that are worth a copy: columns that are not neighbours, or
/// rows so far apart that they fall on the same sets of the caches.
std::vector<Pack> choose_packs(const loop::Program& program, const loop::Loop& rows, const Panel& panel);

/// Whether a chain repeats elements whose rows share cache sets.
bool has_far_rows(const loop::Program& program, const loop::Loop& rows);

}  // namespace dlg
