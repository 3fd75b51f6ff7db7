// Owns the comments in the LLVM and assembly text: which line of the program each instruction comes from.
#pragma once

#include <llvm/IR/Module.h>

#include <string>

#include "ir/loop/loop_ir.h"

namespace dlg {

/// Notes with each instruction which kernel it stands in, so that assembly_text knows it wherever
/// optimisation moves it to.
void mark_kernels(llvm::Module& module, const loop::Program& program);

/// Puts the place and the names of its source before each kernel and behind each of its instructions.
std::string annotate_llvm(const std::string& text, const loop::Program& program, const Sources& sources);
/// The same for assembly of a module with marks.
std::string annotate_assembly(const std::string& text, const loop::Program& program, const Sources& sources);

}  // namespace dlg
