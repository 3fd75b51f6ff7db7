// Owns how diagnostics look on a terminal: code, place, source lines, carets, labels, help.
#pragma once

#include <string>

#include "support/diagnostic.h"

namespace dlg {

enum class Color { kOff, kOn };

/// The text of one diagnostic, ending in a newline.
std::string render(const Sources& sources, const Diagnostic& diagnostic, Color color);

/// All diagnostics in source order, at most `limit` of them, with a closing line "N errors".
std::string render_all(const Sources& sources, const Diagnostics& diagnostics, Color color,
                       std::size_t limit = 20);

}  // namespace dlg
