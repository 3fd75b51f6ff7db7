// Owns the affine bounds of loops: how they round, and what they prove of an index.
#pragma once

#include <cstdint>

#include "ir/loop/loop_ir.h"
#include "support/interval.h"

namespace dlg::loop {

/// Whether iterations are left out.
inline bool has_bounds(const Loop& loop) {
  return !loop.lower.empty() || !loop.upper.empty();
}

/// The loop of each variable of a kernel that is open; null: it is not.
using OpenLoops = IdVector<VarId, const Loop*>;

/// What a bound may be before it is divided, at so many valid rows, by the extents of its loops.
Interval range_of_sum(const Bound& bound, const OpenLoops& loops, std::int64_t rows);

/// Whether `index`, which has no register, lies in an axis of `extent` elements (kBatch: one for each valid
/// row) for any number of valid rows up to `batch`: by the extents of its loops, or where some of its
/// variables stand at one of their bounds.
bool stays_inside(const Index& index, std::int64_t extent, const OpenLoops& loops, std::int64_t batch);

/// What `index`, but for its register, may be for any number of valid rows up to `batch`.
Interval range_within_bounds(const Index& index, const OpenLoops& loops, std::int64_t batch);

}  // namespace dlg::loop
