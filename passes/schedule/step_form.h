// Owns the choice between the two forms of a compiled step.
#pragma once

#include "ir/loop/loop_ir.h"

namespace dlg {

/// Straight for a step of at most a few hundred scalar operations: what costs there is calls and memory.
loop::StepForm choose_form(const loop::Program& program);

}  // namespace dlg
