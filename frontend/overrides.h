// Owns `--set key=value`: edits of the syntax tree before it is elaborated.
#pragma once

#include <vector>

#include "frontend/ast.h"
#include "frontend/compile.h"
#include "support/diagnostic.h"

namespace dlg {

/// Puts each override into `file`: a dim or const (`cls`, `net.b1`), a setting of `train` (`batch`,
/// `train.seed`), an argument of a setting (`optimizer.lr`), a setting of a data block or an argument of one
/// (`digits.split.seed`). Unknown keys are errors with a suggestion.
void apply_overrides(Sources& sources, ast::File& file, const std::vector<Override>& overrides,
                     Diagnostics& diagnostics);

}  // namespace dlg
