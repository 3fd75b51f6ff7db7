// Owns what holds of the marks of a straight step.
#pragma once

#include <optional>

#include "ir/graph/verify.h"
#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// The first broken law of a scheduled program; nullopt: there is none.
std::optional<BrokenLaw> verify_straight(const Program& program);

}  // namespace dlg::loop
