#include "driver/pictures/sheet.h"

#include <algorithm>

namespace dlg {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kWordsGap = 4;
/// No shade of grey.
constexpr Rgb kGapColor{64, 96, 144};

/// Of one cell, without the gap behind it.
struct CellSize {
  std::size_t zoom = 1;
  std::size_t width = 0;
  std::size_t image_height = 0;
  std::size_t height = 0;
  std::size_t gap = kGap;
};

CellSize size_of(const Sheet& sheet) {
  const Raster& image = sheet.cells.front().image;
  CellSize size;
  size.zoom = std::max<std::size_t>(1, sheet.side / std::min(image.rows, image.columns));
  size.width = image.columns * size.zoom;
  size.image_height = image.rows * size.zoom;
  std::size_t lines = 0;
  for (const SheetCell& cell : sheet.cells) {
    lines = std::max(lines, cell.lines.size());
    for (const std::string& line : cell.lines) size.width = std::max(size.width, width_of_words(line));
  }
  if (lines > 0) size.gap = 4 * kGap;
  size.height = size.image_height + lines * (kWordsHeight + kWordsGap);
  return size;
}

}  // namespace

Drawing sheet_drawing(const Sheet& sheet) {
  const CellSize size = size_of(sheet);
  const std::size_t down = (sheet.cells.size() + sheet.across - 1) / sheet.across;
  const bool has_words = size.height > size.image_height;
  Drawing drawing{.width = sheet.across * (size.width + size.gap) + size.gap,
                  .height = down * (size.height + size.gap) + size.gap,
                  .ground = has_words ? kWhite : kGapColor};
  for (std::size_t i = 0; i < sheet.cells.size(); ++i) {
    const SheetCell& cell = sheet.cells[i];
    const std::size_t x = size.gap + i % sheet.across * (size.width + size.gap);
    std::size_t y = size.gap + i / sheet.across * (size.height + size.gap);
    drawing.images.push_back({x, y, size.zoom, cell.image});
    y += size.image_height + kWordsGap;
    for (const std::string& line : cell.lines) {
      drawing.words.push_back({x, y, line, cell.color});
      y += kWordsHeight + kWordsGap;
    }
  }
  return drawing;
}

Sheet sheet_of(std::span<const double> values, const ImageList& list, const Shades& shades) {
  Sheet sheet;
  sheet.across = list.across;
  const std::size_t elements = list.size.elements();
  for (const std::size_t image : list.chosen)
    sheet.cells.push_back({shaded_image(values.subspan(image * elements, elements), list.size, shades)});
  return sheet;
}

}  // namespace dlg
