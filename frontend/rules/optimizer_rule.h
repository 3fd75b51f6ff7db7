// Owns optimizers and the settings around them: their text is checked and elaborated once, over all
// parameters of a program.
#pragma once

#include <optional>

#include "frontend/elaborate/rule_arguments.h"
#include "ir/graph/update_rule.h"

namespace dlg {

/// The settings of `train` that updates follow; an invalid id where one is not written.
struct RuleSettings {
  ast::ExprId optimizer;
  ast::ExprId weight_decay;
  ast::ExprId clip;
  ast::ExprId accumulate;
  ast::ExprId ema;
  ast::ExprId groups;
  ast::ExprId freeze;
  LastStep last_step = LastStep::kUnknown;
  bool is_gradient_watched = false;  // `stop` looks at the norm of the gradient
  Measurable measurable;
};

/// `adam(lr = 1e-3)` of the train block with everything around it. Errors at the lines of the rule: unknown
/// names, shapes that do not fit, theta never assigned, a state never updated, a `require` that does not
/// hold; at the settings: what they do not take.
std::optional<UpdateRule> elaborate_optimizer(Elaboration& e, const RuleSettings& settings);

}  // namespace dlg
