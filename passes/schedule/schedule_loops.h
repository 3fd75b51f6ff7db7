// Owns the pass from loops to scheduled loops: everything that depends on the core and changes no bit.
#pragma once

#include <optional>

#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"

namespace dlg {

/// `program` for `core`: register tiles, panels and their rests, packed operands with the scratch that they
/// need, what workers divide, what is done beside the next tile and what is asked for early. The order of
/// every sum stays. `form`: another form than the one that would be chosen.
loop::Program schedule_loops(loop::Program program, const loop::Core& core,
                             std::optional<loop::StepForm> form = std::nullopt);

}  // namespace dlg
