// Owns the lines under a line of source: carets, underlines and the texts that belong to them.
#pragma once

#include <string>
#include <vector>

#include "support/text_row.h"

namespace dlg {

/// Columns [begin, end) of a shown line, and what is said about them.
struct Marker {
  std::size_t begin = 0;
  std::size_t end = 0;
  char sign = '^';
  Style style = Style::kPlain;
  std::string text;
};

/// Draws `markers`, the main one last, into rows that begin at column `indent`:
///
///     --   ^ text of the rightmost
///     |
///     text of the other
std::vector<TextRow> draw_markers(const std::vector<Marker>& markers, std::size_t indent);

}  // namespace dlg
