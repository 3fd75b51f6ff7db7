// Owns the ceilings of one core: multiply-adds in registers, and updates of memory.
#pragma once

#include <cstddef>

namespace dlg::bench {

/// Gflop/s in f32 of this core, with the widest vectors that it has. f64 is half of it.
double multiply_add_rate();

/// GB/s, read and written together, of a loop that changes every number of so many bytes.
double update_rate(std::size_t bytes);

}  // namespace dlg::bench
