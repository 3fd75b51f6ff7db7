// Owns how a sum leaves points out: bounds of the loops that it runs over.
#pragma once

#include "ir/loop/element_scope.h"

namespace dlg {

/// Bounds `loop` to the indices i where `rest` + `factor` * i is as `condition` demands of its sum. `factor`
/// is not 0, `rest` is without the variable of `loop`.
void add_bounds(loop::Loop& loop, const loop::Index& rest, std::int64_t factor,
                const loop::SumCondition& condition);

}  // namespace dlg
