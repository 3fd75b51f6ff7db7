#include "support/text_row.h"

#include "support/unicode.h"

namespace dlg {
namespace {

constexpr std::string_view kReplacement = "\ufffd";
constexpr std::string_view kReset = "\x1b[0m";

std::string_view escape_sequence(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kBold:
      return "\x1b[1m";
    case Style::kError:
      return "\x1b[1;31m";
    case Style::kWarning:
      return "\x1b[1;33m";
    case Style::kNote:
      return "\x1b[1;32m";
    case Style::kGutter:
    case Style::kLabel:
      return "\x1b[1;34m";
    case Style::kHelp:
      return "\x1b[1;36m";
  }
  return "";
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

}  // namespace

void TextRow::put(std::size_t column, std::string_view text, Style style) {
  std::size_t at = column;
  for (std::size_t offset = 0; offset < text.size();) {
    const CodePoint point = decode_utf8(text, offset).value_or(CodePoint{});
    const bool is_shown = !is_control(point.value) && !is_invisible(point.value);
    const std::string_view glyph = is_shown ? text.substr(offset, point.length) : kReplacement;
    const int width = is_shown ? display_width(point.value) : 1;
    offset += point.length;
    if (width == 0) {
      if (at > 0 && at <= cells_.size()) cells_[at - 1].text += glyph;
      continue;
    }
    const auto columns = static_cast<std::size_t>(width);
    if (cells_.size() < at + columns) cells_.resize(at + columns);
    cells_[at] = {std::string(glyph), style};
    for (std::size_t i = 1; i < columns; ++i) cells_[at + i] = {"", style};
    at += columns;
  }
}

std::vector<TextRow::Cell> TextRow::trimmed() const {
  std::vector<Cell> cells = cells_;
  while (!cells.empty() && cells.back().text == " ") cells.pop_back();
  return cells;
}

std::string TextRow::without_color() const {
  std::string line;
  for (const Cell& cell : trimmed()) line += cell.text;
  return line + "\n";
}

std::string TextRow::with_color() const {
  std::string line;
  Style current = Style::kPlain;
  for (const Cell& cell : trimmed()) {
    if (cell.style != current) {
      if (current != Style::kPlain) line += kReset;
      line += escape_sequence(cell.style);
      current = cell.style;
    }
    line += cell.text;
  }
  if (current != Style::kPlain) line += kReset;
  return line + "\n";
}

}  // namespace dlg
