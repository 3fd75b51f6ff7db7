// Owns `param`, `const` and `state` inside models: states of the graph with path, type and initial value, and
// what they become.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Elaborates `param W: [out, in] = glorot_uniform()`.
void elaborate_declaration(Elaboration& e, const ast::Statement& statement);

/// Elaborates `average <- 0.9 * average + 0.1 * m`: from here on the name means the new value, in later
/// applications too. Errors: no state of this call; written before; another type; a value for each sample.
void elaborate_state_write(Elaboration& e, const ast::Statement& statement);

/// Reports the states of the open call that it never writes.
void check_states_written(Elaboration& e);

/// First axis out, second in, each times the axes after. Errors: under two axes, not in an initialiser.
enum class Fan { kIn, kOut };
Value fan(Elaboration& e, Fan which, SourceRange range);

/// Whether an orthogonal matrix may be the initial value that is computed. Errors: no initial value, under
/// two axes, more multiplications than a start should wait for.
bool check_drawn_matrix(Elaboration& e, SourceRange range);

}  // namespace dlg
