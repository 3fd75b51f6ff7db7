// Owns the operands of a contraction's chains: how the elements that a tile reads again and again lie.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// An operand of a chain that depends on the rows of its nest or on its columns, never on both, and on the
/// steps of the chain: its elements for some lanes - columns of a panel, or rows of a tile - can be copied
/// into a block
/// `[k][lanes]`, in which they lie one behind the other.
struct Operand {
  const Instruction* load = nullptr;
  std::vector<const Loop*> chain;          // the loops around the load, outermost first, blocks left out
  std::vector<const Instruction*> inputs;  // inside the chain: what the indices are computed from
  std::int64_t lane_stride = 0;            // elements from one lane to the next
  std::int64_t chain_stride = 0;           // elements from one step of the innermost loop to the next
  std::int64_t steps = 0;                  // of all loops together, at the declared batch size
  bool is_scattered = false;               // a register says where a lane lies
  bool is_indirect = false;                // a register says where a step lies

  bool has_neighbours() const { return lane_stride == 1 && !is_scattered; }
  /// Whether steps of one lane are neighbours: squares of them can be turned over.
  bool is_turned() const { return !has_neighbours() && chain_stride == 1 && !is_indirect; }
};

/// Those of the nest `rows` that depend on the columns, and those that depend on the rows.
struct Operands {
  std::vector<Operand> of_columns;
  std::vector<Operand> of_rows;
};
Operands operands_of(const Program& program, const Loop& rows);

/// Of `all` the one that `pack` copies; null: there is none.
const Operand* packed_operand(const std::vector<Operand>& all, const Pack& pack);

/// Iterations of `loop`, the declared ones of the batch.
std::int64_t declared_extent(const Program& program, const Loop& loop);

}  // namespace dlg::loop
