// Owns the text form of the syntax tree (`dlg show --stage ast`).
#pragma once

#include <string>

#include "frontend/text/ast.h"

namespace dlg {

/// An indented tree, one construct a line, each with `; file:line`.
std::string print_ast(const ast::File& file, const Sources& sources);

}  // namespace dlg
