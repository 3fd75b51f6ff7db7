// Owns the copying of one operand's elements, under a panel of columns or for tiles of rows, so that the
// tiles read what lies one behind the other.
#pragma once

#include <cstdint>
#include <vector>

#include "codegen/kernel_site.h"
#include "ir/loop/operands.h"

namespace dlg {

/// The copy of one operand, or the part of it that one panel or tile reads: some lanes for each step of the
/// chain.
struct PackedBlock {
  loop::Operand pack;
  loop::Pack how;
  llvm::Type* element = nullptr;
  llvm::Value* memory = nullptr;
  ElementEmitter::Lanes lanes = {};
  llvm::Align align = {};              // of the lanes of a step
  llvm::Value* first = nullptr;        // the column or row of lane 0
  const loop::Body* before = nullptr;  // instructions that say where a lane lies
};

/// Scratch for the one of `operands` that is copied so, for so many columns or rows: iterations of `var`.
PackedBlock packed_block(const KernelSite& site, const std::vector<loop::Operand>& operands,
                         const loop::Pack& how, loop::VarId var, std::int64_t lanes);
/// The part of a copy from column `origin` on that belongs to `panel` at `column`.
PackedBlock panel_part(const KernelSite& site, const PackedBlock& packed, const loop::Panel& panel,
                       llvm::Value* column, llvm::Value* origin);
/// The part of a copy from row `origin` on that belongs to the tile of `count` rows from `row` on.
PackedBlock tile_part(const KernelSite& site, const PackedBlock& packed, unsigned count, llvm::Value* row,
                      llvm::Value* origin);

/// Copies the elements of parts of one copy, which have as many lanes each.
void fill(const KernelSite& site, const std::vector<PackedBlock>& parts);

/// From now on the column operand of this panel is read from its copy: all lanes at once.
void read_panel(const KernelSite& site, const PackedBlock& part);
/// The same of the row operand of this tile: row by row.
void read_tile(const KernelSite& site, const PackedBlock& part);
/// From now on the operand is read where it lies.
void read_in_place(const KernelSite& site, const PackedBlock& packed);

}  // namespace dlg
