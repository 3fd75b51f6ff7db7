// Owns the files that a program imports: which may be read, and each read once.
#pragma once

#include <vector>

#include "driver/cli/session.h"
#include "frontend/text/ast.h"

namespace dlg {

/// Reads and parses what `tree` imports, directly and through others, and notes in every import which file it
/// is. Errors point at the import: a path that leaves the folder of the importing file (absolute, `..`, a
/// link), a file that cannot be read, a circle.
std::vector<ast::File> load_imports(Session& session, ast::File& tree);

}  // namespace dlg
