// Owns `dlg step --against`: printed values beside computed ones.
#pragma once

#include "driver/cli/session.h"
#include "driver/step/step_options.h"

namespace dlg {

/// Compares the values of `options.against` with one step: which agree, rounded or cut, which do not, and
/// whether a printed start value or setting explains the printed results better than the program's. Exit code
/// 4 if a value does not agree.
int step_against(Session& session, const StepOptions& options);

}  // namespace dlg
