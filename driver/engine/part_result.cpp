#include "driver/engine/part_result.h"

#include <fmt/format.h>

#include <algorithm>

#include "support/text.h"
#include "support/unicode.h"

namespace dlg {
namespace {

/// More columns are not read on a terminal.
constexpr std::int64_t kMostShown = 24;

/// The name of an index where there are names, else its number.
std::string label(const TableValue& table, std::int64_t extent, std::int64_t index) {
  const bool is_named = std::ssize(table.labels) == extent;
  return is_named ? table.labels[static_cast<std::size_t>(index)] : std::to_string(index);
}

/// Columns of a text on a terminal; a byte that is not UTF-8 takes one.
std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::optional<CodePoint> point = decode_utf8(text, at);
    width += point ? static_cast<std::size_t>(display_width(point->value)) : 1;
    at += point ? point->length : 1;
  }
  return width;
}

using Cells = std::vector<std::vector<std::string>>;

/// With the labels of the columns above and those of the rows on the left.
Cells cells_of(const TableValue& table) {
  Cells cells(1, {""});
  for (std::int64_t j = 0; j < table.columns; ++j) cells.front().push_back(label(table, table.columns, j));
  auto element = table.elements.begin();
  for (std::int64_t i = 0; i < table.rows; ++i) {
    std::vector<std::string>& line = cells.emplace_back(1, label(table, table.rows, i));
    for (std::int64_t j = 0; j < table.columns; ++j) line.push_back(rounded_text(*element++, 6));
  }
  return cells;
}

}  // namespace

std::string table_text(const TableValue& table, std::string_view in_full) {
  if (std::max(table.rows, table.columns) > kMostShown) {
    return fmt::format(" {} x {}, in full {}\n", table.rows, table.columns, in_full);
  }
  const Cells cells = cells_of(table);
  std::vector<std::size_t> widths(cells.front().size(), 0);
  for (const std::vector<std::string>& line : cells) {
    for (std::size_t j = 0; j < line.size(); ++j) widths[j] = std::max(widths[j], width_of(line[j]));
  }
  std::string text = "\n";
  for (const std::vector<std::string>& line : cells) {
    text += "  ";
    for (std::size_t j = 0; j < line.size(); ++j) {
      const std::string blanks(widths[j] - width_of(line[j]), ' ');
      text += j == 0 ? line[j] + blanks : "  " + blanks + line[j];
    }
    text += "\n";
  }
  return text;
}

Json table_json(const TableValue& table) {
  Json lines = Json::array();
  auto element = table.elements.begin();
  for (std::int64_t i = 0; i < table.rows; ++i) {
    Json line = Json::array();
    for (std::int64_t j = 0; j < table.columns; ++j) line.push(*element++);
    lines.push(std::move(line));
  }
  return lines;
}

}  // namespace dlg
