// Owns `check` blocks: what is expected of which value, and how near.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Elaborates all check blocks into expectations and outputs `expect.N` of the program's graph. The output is
/// a scalar, or one per sample, of which sample 0 counts.
void elaborate_checks(Elaboration& e, CheckedProgram& program);

}  // namespace dlg
