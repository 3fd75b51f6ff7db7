// Owns `stop`: the list of conditions that end training.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// `[20 epochs, 2 min, change(loss) < 1e-6, plateau(val.loss, patience = 3 epochs)]`, or one condition
/// without brackets; of `training` the metrics are known.
std::vector<StopCondition> stop_conditions(Elaboration& e, ast::ExprId id, const Training& training);

}  // namespace dlg
