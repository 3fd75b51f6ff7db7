// Owns the way from text to syntax tree: one file, all its syntax errors in one run.
#pragma once

#include "frontend/text/ast.h"
#include "support/diagnostic.h"

namespace dlg {

/// Parses `file`. Errors go to `diagnostics`; the tree then holds what could be understood, with kError where
/// nothing could. Recovery is at the end of the line or at `}`. Nesting beyond 256 levels is an error, not a
/// crash.
ast::File parse_file(const Sources& sources, FileId file, Diagnostics& diagnostics);

/// Parses one expression on its own, as `--set key=value` gives it. `target` receives the nodes.
ast::ExprId parse_expression(const Sources& sources, FileId file, Diagnostics& diagnostics,
                             ast::File& target);

}  // namespace dlg
