// Owns the ceiling of one core: what multiply-adds in registers reach.
#pragma once

namespace dlg::bench {

/// Gflop/s in f32 of this core, with the widest vectors that it has. f64 is half of it.
double multiply_add_rate();

}  // namespace dlg::bench
