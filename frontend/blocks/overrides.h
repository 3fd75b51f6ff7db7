// Owns `--set key=value`: edits of the syntax tree before it is elaborated.
#pragma once

#include <string>
#include <vector>

#include "frontend/text/ast.h"
#include "support/diagnostic.h"

namespace dlg {

/// `--set optimizer.lr=0.1`; its text becomes a source of its own named `--set optimizer.lr=0.1` for
/// messages.
struct Override {
  std::string key;
  std::string value;
};

/// Puts each override into `file`: a dim or const (`cls`, `net.b1`), a setting of `train` (`batch`,
/// `train.seed`), an argument of a setting (`optimizer.lr`), a setting of a data block or an argument of one
/// (`digits.split.seed`). Unknown keys are errors with a suggestion.
void apply_overrides(Sources& sources, ast::File& file, const std::vector<Override>& overrides,
                     Diagnostics& diagnostics);

}  // namespace dlg
