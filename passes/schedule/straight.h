// Owns what is decided of a step that is written out without loops.
#pragma once

#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// `program`, whose form is straight, with its independent innermost loops in vectors, and functions of one
/// name that do not wait for each other side by side as lanes of one; what follows from a counter alone is
/// computed one step ahead.
void schedule_straight(loop::Program& program, const loop::Core& core);

}  // namespace dlg
