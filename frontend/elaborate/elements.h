// Owns values that are defined by their elements: `y[o, i: h] = sum(K[o, r] * x[2 * i + r], over = [r])`.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Gives the name of the statement its value.
void elaborate_element(Elaboration& e, const ast::Statement& statement);

}  // namespace dlg
