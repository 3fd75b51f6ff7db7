// Owns optimizers: their text is checked once and becomes a rule that is replayed over all parameters.
#pragma once

#include <optional>

#include "frontend/elaboration.h"
#include "ir/graph/update_rule.h"

namespace dlg {

/// `adam(lr = 1e-3)` of the train block. Errors at the lines of the rule: unknown names, shapes that do not
/// fit, theta never assigned, a state never updated, a `require` that does not hold.
std::optional<UpdateRule> elaborate_optimizer(Elaboration& e, ast::ExprId id);

}  // namespace dlg
