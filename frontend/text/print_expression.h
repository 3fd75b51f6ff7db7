// Owns the text form of expressions and types: the text's own syntax, with brackets that show how it was
// read.
#pragma once

#include <string>

#include "frontend/text/ast.h"

namespace dlg {

/// The expression `id`, each operator's operands in brackets unless they are leaves or calls. An expression
/// of very many nodes is cut: `...` stands for the rest.
std::string expression_text(const ast::File& file, ast::ExprId id);

/// `f32[T, 2 * D]`.
std::string type_text(const ast::File& file, const ast::TypeText& type);

}  // namespace dlg
