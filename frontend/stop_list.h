// Owns `stop`: the list of conditions that end training.
#pragma once

#include "frontend/elaboration.h"

namespace dlg {

/// `[20 epochs, 2 min, change(loss) < 1e-6, loss < 0.01]`, or one condition without brackets.
std::vector<StopCondition> stop_conditions(Elaboration& e, ast::ExprId id);

}  // namespace dlg
