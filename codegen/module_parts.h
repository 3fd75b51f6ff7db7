// Owns how a program falls into modules that are compiled side by side, each to an object of its own.
#pragma once

#include <cstddef>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg {

struct ModuleParts {
  /// codegen/equal_kernels.h
  std::vector<std::size_t> first_equal;
  /// By module the kernels whose functions it has, in ascending order; the first one has the entry besides.
  std::vector<std::vector<std::size_t>> kernels;
};

/// It follows from the scheduled program alone, never from the cores of this machine. A straight step is one
/// module, and so is a program that is compiled sooner than threads begin.
ModuleParts module_parts(const loop::Program& program);

}  // namespace dlg
