// Owns what tests ask of the LLVM IR of a program: whether each access may rely on the alignment that it
// claims, and how much of the stack its functions take. No LLVM type in sight.
#pragma once

#include <string>
#include <vector>

#include "codegen/jit.h"

namespace dlg {

struct ModuleFacts {
  std::int64_t accesses = 0;  // loads, stores and copies
  /// Those that claim more than follows from the context (runtime/abi.h) and the arithmetic of their address.
  std::vector<std::string> unfounded;
  /// Slots of the function that has most of them; whatever is inlined is part of its caller.
  std::int64_t most_stack_bytes = 0;
};

/// Of the IR before LLVM's clean-up.
ModuleFacts module_facts(const loop::Program& program, Target target);

/// What the slots of a function take at most, whatever the shapes are: a thread of a few hundred kilobytes
/// will do.
inline constexpr std::int64_t kMostStackBytes = std::int64_t{1} << 16;

}  // namespace dlg
