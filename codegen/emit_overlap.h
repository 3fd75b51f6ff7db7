// Owns the emission of tiles whose sums are updated beside the chains of the next tile: divisions, roots and
// what comes from far away take long, and multiply-adds need not wait for them.
#pragma once

#include <functional>

#include "codegen/kernel_site.h"
#include "codegen/sum_slots.h"
#include "codegen/tile_rows.h"

namespace dlg {

/// The whole tiles under a panel, one after the other. The sums of one are on their way to the update, in
/// memory, while the chains of the next run.
class OverlappedTiles {
 public:
  /// No sums wait.
  OverlappedTiles(const KernelSite& site, const TilePanel& under);

  /// The chains of the tile at the current row and column, and beside them - beside the first block - the
  /// update of the one before, a row every few steps. Then the sums wait in their turn.
  void emit_tile();
  /// The update of the sums that no other tile follows. It is the end: the slots are given back.
  void emit_left();

 private:
  void at_tile(const SumPlace& place, const std::function<void()>& emit);
  Values enter_block(const Values& totals);
  Values leave_block(const Values& sums, llvm::Value* end);
  Values emit_beside(const SumPlace& place, Values sums, llvm::Value* end);
  void emit_waiting_row(llvm::Value* number);
  void store_waiting(const Values& sums, const SumPlace& place);

  const KernelSite& site_;
  llvm::IRBuilder<>& builder_;
  ElementEmitter& elements_;
  TilePanel under_;
  const loop::Loop& rows_;
  loop::TileParts parts_;
  const loop::Loop& chain_;
  llvm::Value* count_;   // of rows that wait: none or a tile
  llvm::Value* row_;     // the first of them
  llvm::Value* column_;  // of lane 0
  SumSlots sums_;
};

}  // namespace dlg
