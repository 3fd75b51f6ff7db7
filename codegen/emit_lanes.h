// Owns the emission of reductions: 16 lanes and a tree, as one vector or in memory.
#pragma once

#include <vector>

#include "codegen/counted_loop.h"
#include "codegen/kernel_site.h"
#include "ir/loop/loop_ir.h"
#include "ir/loop/sum_order.h"

namespace dlg {

inline constexpr auto kReductionLanes = static_cast<unsigned>(loop::kLaneCount);

/// As one vector where the lanes of the machine are free, else in memory.
void emit_lanes(const KernelSite& site, const loop::Loop& loop);

/// The tree over the carried values of the sixteen lanes.
Values joined_lanes(const KernelSite& site, const loop::Loop& loop, std::vector<Values> lanes);

}  // namespace dlg
