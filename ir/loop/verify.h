// Owns the invariants of the loop IR: definitions dominate uses, dtypes agree, indices stay inside their
// buffers, vector loops store independent elements, no kernel before the stop test writes a state.
#pragma once

#include <optional>
#include <string>

#include "ir/graph/verify.h"
#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// The first broken law and the line of the text that breaks it; nullopt: the program is well-formed.
std::optional<BrokenLaw> find_broken_law(const Program& program);

/// The same as one sentence.
std::optional<std::string> verify(const Program& program);

}  // namespace dlg::loop
