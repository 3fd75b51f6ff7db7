// Owns the proof that computed indices lie inside of their buffers.
#pragma once

#include <optional>

#include "ir/graph/verify.h"
#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// Follows whole numbers through registers, loops and buffers as intervals, and accepts an index with a
/// computed part only where the interval lies inside of the axis; a row of data only as the row order names
/// it. What a data buffer holds is known by its `below`. `program` has passed every other check. nullopt:
/// proved.
std::optional<BrokenLaw> verify_ranges(const Program& program);

}  // namespace dlg::loop
