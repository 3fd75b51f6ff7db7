// Owns the lowering of fused groups to loop nests: it fixes the order of every sum.
#pragma once

#include "ir/loop/loop_ir.h"
#include "passes/plan/plan.h"

namespace dlg {

loop::Program lower_to_loops(const Graph& fused, const Plan& plan);

}  // namespace dlg
