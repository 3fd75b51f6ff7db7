// Owns the evaluation of expressions: what each kind of expression of the text means.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// The value of an expression of the open frame's file. Errors give poison.
Value evaluate(Elaboration& e, ast::ExprId id);

/// With the place of the expression.
Operand evaluate_operand(Elaboration& e, ast::ExprId id);

}  // namespace dlg
