// Owns diagnostics for programs: the objects of the language server protocol, one a line.
#pragma once

#include <string>

#include "support/diagnostic.h"

namespace dlg {

/// One line per diagnostic in the order of the text: `file`, `range`, `severity` (1 error, 2 warning, 3
/// note), `code`, `source`, `message`, `relatedInformation`, `notes`, and `suggestion` where there is one.
/// Lines and characters count from 0 and are code points.
std::string diagnostics_json(const Sources& sources, const Diagnostics& diagnostics);

}  // namespace dlg
