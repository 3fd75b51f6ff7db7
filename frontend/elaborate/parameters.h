// Owns `param` and `const` inside models: states of the graph with path, type and initial value.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Elaborates `param W: [out, in] = glorot_uniform()`.
void elaborate_declaration(Elaboration& e, const ast::Statement& statement);

/// First axis out, second in, each times the axes after. Errors: under two axes, not in an initialiser.
enum class Fan { kIn, kOut };
Value fan(Elaboration& e, Fan which, SourceRange range);

}  // namespace dlg
