// Owns `x |> repeat 4 { h -> block(h) }`.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Elaborates the body once for each round, each time with layers of its own, on what the round before made.
/// Errors: the count is no whole number from 1 on; a round makes something of another type.
Value evaluate_repeat(Elaboration& e, ast::ExprId id);

}  // namespace dlg
