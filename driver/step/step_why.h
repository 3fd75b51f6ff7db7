// Owns `dlg step --why`: one derivative taken apart into the paths of the chain rule.
#pragma once

#include "driver/cli/session.h"
#include "driver/step/step_options.h"

namespace dlg {

/// Prints the paths from the element `options.why` to the loss over the named values of the program, each
/// with its factors, the largest first, and their sum beside what the backward pass has. Looks at one sample
/// alone.
int step_why(Session& session, const StepOptions& options);

}  // namespace dlg
