// Owns the copying of memory in squares whose rows become columns.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include <cstdint>
#include <vector>

#include "codegen/counted_loop.h"

namespace dlg {

/// As many steps of some lanes as `side` says. `count` lanes are written, `pitch` elements from one step to
/// the next; the first `used` of them are read, the others are 0.
struct Square {
  llvm::Type* element;
  llvm::Align align;  // of any element, in either place
  unsigned side;
  unsigned used;
  unsigned count;
  std::int64_t pitch;
};

/// Stores the steps of a square from vectors of the steps of each used lane.
void store_turned(llvm::IRBuilder<>& builder, const Square& square, const Values& lanes, llvm::Value* to);

/// Squares beside each other, of all lanes of a panel, and one row of them behind the other: where the first
/// step of the first lane lies, how many elements further the next lane, and how many steps there are in all.
struct SquareRun {
  std::vector<Square> beside;
  llvm::Value* from;
  std::int64_t lane_stride;
  llvm::Value* to;
  llvm::Value* steps;
};

/// Copies a run of squares. The module gets one function for all runs of a shape: written out, they would be
/// a good part of what is compiled.
void emit_turned_run(llvm::IRBuilder<>& builder, const SquareRun& run);

}  // namespace dlg
