// Owns the copying of squares of memory whose rows become columns.
#pragma once

#include <llvm/IR/IRBuilder.h>

#include "codegen/counted_loop.h"

namespace dlg {

/// `side` steps of some lanes. `count` lanes are written, of which the first `used` are read; the others are
/// 0.
struct Square {
  llvm::Type* element;
  unsigned side;
  unsigned used;
  unsigned count;
};

/// Where the first lane or step of a square lies, and how far the next one is, in elements.
struct SquareMemory {
  llvm::Value* first;
  llvm::Value* stride;
};

/// Stores the steps of all lanes, one behind the other, from vectors of the steps of each used lane.
void store_turned(llvm::IRBuilder<>& builder, const Square& square, const Values& lanes,
                  const SquareMemory& to);

/// Copies what lies lane by lane to step by step. The module gets one function for all squares of a shape:
/// written out, they would be a good part of what is compiled.
void emit_turned_copy(llvm::IRBuilder<>& builder, const Square& square, const SquareMemory& from,
                      const SquareMemory& to);

}  // namespace dlg
