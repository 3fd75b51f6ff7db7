// Owns the comments in the LLVM and assembly text: which line of the program each instruction comes from.
#pragma once

#include <string>

#include "ir/loop/loop_ir.h"

namespace dlg {

/// Puts the place and the names of its source before each kernel and behind each of its instructions.
std::string annotate_llvm(const std::string& text, const loop::Program& program, const Sources& sources);
std::string annotate_assembly(const std::string& text, const loop::Program& program, const Sources& sources);

}  // namespace dlg
