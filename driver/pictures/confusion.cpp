#include "driver/pictures/confusion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/csv.h"
#include "support/text.h"

namespace dlg {
namespace {

/// Of more classes there is no room for words.
constexpr std::size_t kMostNamed = 64;
constexpr std::size_t kPlainCell = 4;
constexpr std::size_t kMargin = 8;
/// Of a class at its row, and above its column.
constexpr std::size_t kMostLetters = 16;
constexpr std::size_t kMostLettersAbove = 8;
constexpr std::size_t kWordsGap = 6;

constexpr Rgb kRight{31, 86, 160};
constexpr Rgb kWrong{178, 24, 43};
constexpr Rgb kLine = grey(221);

unsigned char mixed(unsigned char full, double share) {
  return static_cast<unsigned char>(std::lround(255 + (full - 255.0) * share));
}

/// White without a row, the full colour with all rows of the class.
Rgb tint(const Rgb& full, double share) {
  return {mixed(full.red, share), mixed(full.green, share), mixed(full.blue, share)};
}

/// Where cells stand and how large they are.
struct Grid {
  std::size_t classes = 0;
  std::size_t left = kMargin;
  std::size_t top = kMargin;
  std::size_t cell = kPlainCell;
  std::size_t line = 0;  // between cells

  bool has_words() const { return line > 0; }
  std::size_t x(std::size_t column) const { return left + column * (cell + line); }
  std::size_t y(std::size_t row) const { return top + row * (cell + line); }
};

Grid grid_of(const TableValue& table) {
  Grid grid{.classes = static_cast<std::size_t>(table.rows)};
  if (grid.classes > kMostNamed) return grid;
  std::size_t widest = width_of_words("000");
  std::size_t names = 0;
  for (const double count : table.elements) widest = std::max(widest, width_of_words(number_text(count)));
  for (const std::string& name : table.labels) {
    widest = std::max(widest, width_of_words(shown_words(name, kMostLettersAbove)));
    names = std::max(names, width_of_words(shown_words(name, kMostLetters)));
  }
  grid.cell = widest + 2 * kWordsGap;
  grid.line = 1;
  grid.left += names + kWordsGap;
  grid.top += 2 * (kWordsHeight + kWordsGap);
  return grid;
}

/// In the middle of the square of a column and a row.
PlacedWords centred(const Grid& grid, std::size_t x, std::size_t y, const std::string& text) {
  return {x + (grid.cell - width_of_words(text)) / 2, y + (grid.cell - kWordsHeight) / 2, text};
}

void add_names(Drawing& drawing, const Grid& grid, const TableValue& table) {
  for (std::size_t i = 0; i < grid.classes; ++i) {
    const std::string above = shown_words(table.labels[i], kMostLettersAbove);
    const std::string beside = shown_words(table.labels[i], kMostLetters);
    PlacedWords column = centred(grid, grid.x(i), 0, above);
    column.y = grid.top - kWordsHeight - kWordsGap;
    drawing.words.push_back(column);
    PlacedWords row = centred(grid, 0, grid.y(i), "");
    drawing.words.push_back({grid.left - kWordsGap - width_of_words(beside), row.y, beside});
  }
}

void add_cell(Drawing& drawing, const Grid& grid, std::size_t row, std::size_t column, double share) {
  const Rgb color = tint(row == column ? kRight : kWrong, share);
  drawing.boxes.push_back({grid.x(column), grid.y(row), grid.cell, grid.cell, color});
}

void add_count(Drawing& drawing, const Grid& grid, std::size_t row, std::size_t column, double count) {
  PlacedWords words = centred(grid, grid.x(column), grid.y(row), number_text(count));
  const Rgb ground = drawing.boxes.back().color;
  words.color = ground.red + ground.green < 300 ? kWhite : kBlack;
  drawing.words.push_back(std::move(words));
}

void add_row(Drawing& drawing, const Grid& grid, const TableValue& table, std::size_t row) {
  const auto counts = table.elements.begin() + static_cast<std::ptrdiff_t>(row * grid.classes);
  const double all = std::accumulate(counts, counts + static_cast<std::ptrdiff_t>(grid.classes), 0.0);
  for (std::size_t column = 0; column < grid.classes; ++column) {
    const double count = counts[static_cast<std::ptrdiff_t>(column)];
    add_cell(drawing, grid, row, column, all == 0 ? 0 : count / all);
    if (grid.has_words() && count > 0) add_count(drawing, grid, row, column, count);
  }
}

}  // namespace

TableValue confusion_of(const Classification& rows) {
  const auto classes = std::ssize(rows.classes);
  TableValue table{classes, classes, std::vector<double>(rows.classes.size() * rows.classes.size(), 0),
                   rows.classes};
  for (std::size_t i = 0; i < rows.truth.size(); ++i)
    ++table.elements[static_cast<std::size_t>(rows.truth[i] * classes + rows.taken[i])];
  return table;
}

std::string confusion_csv(const TableValue& table) {
  std::vector<std::string> header{"class"};
  header.insert(header.end(), table.labels.begin(), table.labels.end());
  std::vector<std::vector<std::string>> rows;
  auto count = table.elements.begin();
  for (const std::string& name : table.labels) {
    std::vector<std::string>& row = rows.emplace_back(1, name);
    for (std::int64_t i = 0; i < table.columns; ++i) row.push_back(number_text(*count++));
  }
  return csv_text(header, rows);
}

Drawing confusion_drawing(const TableValue& table, const std::string& part) {
  const Grid grid = grid_of(table);
  const std::string title = fmt::format("{}: class down, taken for across", part);
  const std::size_t wide = grid.has_words() ? width_of_words(title) : 0;
  Drawing drawing{.width = std::max(grid.x(grid.classes), kMargin + wide) + kMargin,
                  .height = grid.y(grid.classes) + kMargin};
  const std::size_t side = grid.classes * (grid.cell + grid.line) + grid.line;
  if (grid.has_words()) {
    drawing.words.push_back({kMargin, kMargin, title});
    drawing.boxes.push_back({grid.left - grid.line, grid.top - grid.line, side, side, kLine});
    add_names(drawing, grid, table);
  }
  for (std::size_t row = 0; row < grid.classes; ++row) add_row(drawing, grid, table, row);
  return drawing;
}

}  // namespace dlg
