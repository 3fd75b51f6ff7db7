// Owns the sums of a tile on the stack, on their way to what is done to them: row by row, in a loop.
#pragma once

#include "codegen/kernel_site.h"
#include "codegen/tile_rows.h"

namespace dlg {

/// Of a row of sums: its row, and the column of lane 0.
struct SumPlace {
  llvm::Value* row;
  llvm::Value* column;
};

/// What the single chain of a nest gives for the rows of a tile under one panel.
class SumSlots {
 public:
  /// For tiles of `rows` rows.
  SumSlots(const KernelSite& site, const TilePanel& under, unsigned rows);

  /// Takes the slots, if there are none yet, for what has the types of `sums`: of each carried value one for
  /// each row.
  void take(const Values& sums);
  bool are_taken() const { return !slots_.empty(); }
  void store(const Values& sums);
  /// What is done to the sums that were stored for row `number` of a tile, wherever the tile is that is being
  /// emitted.
  void emit_row(llvm::Value* number, const SumPlace& place);
  /// It is the end: other slots may lie there.
  void give_back() { site_.slots.give_back(slots_); }

 private:
  const KernelSite& site_;
  TilePanel under_;
  unsigned rows_;
  loop::TileParts parts_;
  const loop::Loop& chain_;
  Values slots_;  // for each carried value: all rows
};

/// What stands before the chain of a nest, and what the chain begins with: of each carried value one for
/// each row of the tile.
Values emit_before_chain(const KernelSite& site, const loop::TileParts& parts);

}  // namespace dlg
