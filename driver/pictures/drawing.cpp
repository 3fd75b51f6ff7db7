#include "driver/pictures/drawing.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "driver/cli/outputs.h"
#include "driver/pictures/bitmap_font.h"
#include "support/text.h"
#include "support/unicode.h"

namespace dlg {
namespace {

/// Of the pixels of letters.
constexpr std::size_t kWordZoom = 2;
constexpr std::size_t kAdvance = (kGlyphColumns + 1) * kWordZoom;
/// Of letters in SVG: a capital is as high as the letters of PNG, its width is set by `textLength`.
constexpr int kFontSize = 20;

static_assert(kWordsHeight == kGlyphRows * kWordZoom);

/// The code points of a text; what is no UTF-8 counts as one for each byte.
std::u32string code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t at = 0; at < text.size();) {
    const std::optional<CodePoint> point = decode_utf8(text, at);
    points += point ? point->value : U'?';
    at += point ? point->length : 1;
  }
  return points;
}

void fill(Raster& canvas, const Box& box) {
  for (std::size_t row = 0; row < box.height; ++row) {
    for (std::size_t column = 0; column < box.width; ++column)
      canvas.at(box.y + row, box.x + column) = box.color;
  }
}

void draw(Raster& canvas, const PlacedImage& placed) {
  for (std::size_t row = 0; row < placed.image.rows * placed.zoom; ++row) {
    for (std::size_t column = 0; column < placed.image.columns * placed.zoom; ++column) {
      canvas.at(placed.y + row, placed.x + column) = placed.image.at(row / placed.zoom, column / placed.zoom);
    }
  }
}

void draw(Raster& canvas, const PlacedWords& words) {
  std::size_t x = words.x;
  for (const char32_t character : code_points(words.text)) {
    const Glyph& glyph = glyph_of(character);
    for (std::size_t i = 0; i < kGlyphColumns * kGlyphRows; ++i) {
      const std::size_t column = i % kGlyphColumns;
      const std::size_t row = i / kGlyphColumns;
      if ((glyph[column] >> row & 1) == 0) continue;
      fill(canvas, {x + column * kWordZoom, words.y + row * kWordZoom, kWordZoom, kWordZoom, words.color});
    }
    x += kAdvance;
  }
}

std::string drawing_png(const Drawing& drawing) {
  Raster canvas(drawing.width, drawing.height, drawing.ground);
  for (const Box& box : drawing.boxes) fill(canvas, box);
  for (const PlacedImage& image : drawing.images) draw(canvas, image);
  for (const PlacedWords& words : drawing.words) draw(canvas, words);
  return png_bytes(canvas);
}

std::string color_text(Rgb color) {
  return fmt::format("#{:02x}{:02x}{:02x}", color.red, color.green, color.blue);
}

std::string svg_box(const Box& box) {
  return fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>\n", box.x, box.y,
                     box.width, box.height, color_text(box.color));
}

std::string svg_image(const PlacedImage& placed) {
  return fmt::format(
      "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" style=\"image-rendering:pixelated\" "
      "href=\"data:image/png;base64,{}\"/>\n",
      placed.x, placed.y, placed.image.columns * placed.zoom, placed.image.rows * placed.zoom,
      base64_text(png_bytes(placed.image)));
}

std::string svg_words(const PlacedWords& words) {
  return fmt::format("<text x=\"{}\" y=\"{}\" textLength=\"{}\" fill=\"{}\">{}</text>\n", words.x,
                     words.y + kWordsHeight, width_of_words(words.text), color_text(words.color),
                     escaped_markup(words.text));
}

std::string drawing_svg(const Drawing& drawing) {
  std::string text = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"monospace\" font-size=\"{2}\">\n",
      drawing.width, drawing.height, kFontSize);
  text += svg_box({0, 0, drawing.width, drawing.height, drawing.ground});
  for (const Box& box : drawing.boxes) text += svg_box(box);
  for (const PlacedImage& image : drawing.images) text += svg_image(image);
  for (const PlacedWords& words : drawing.words) text += svg_words(words);
  return text + "</svg>\n";
}

}  // namespace

std::size_t width_of_words(std::string_view text) {
  const std::size_t count = code_points(text).size();
  return count == 0 ? 0 : count * kAdvance - kWordZoom;
}

std::string shown_words(std::string_view text, std::size_t most) {
  constexpr std::string_view kCut = "..";
  std::string shown;
  std::size_t count = 0;
  const std::size_t all = code_points(text).size();
  for (std::size_t at = 0; at < text.size() && count < (all > most ? most - kCut.size() : most); ++count) {
    const std::optional<CodePoint> point = decode_utf8(text, at);
    const std::size_t length = point ? point->length : 1;
    const bool is_written =
        point && point->value >= U' ' && point->value != U'\x7f' && !is_invisible(point->value);
    shown += is_written ? text.substr(at, length) : "?";
    at += length;
  }
  return all > most ? shown.append(kCut) : shown;
}

const std::vector<std::string>& picture_endings() {
  static const std::vector<std::string> kEndings{".png", ".svg"};
  return kEndings;
}

PictureFormat picture_format(const std::string& path) {
  return ending_of(path) == ".svg" ? PictureFormat::kSvg : PictureFormat::kPng;
}

std::string picture_bytes(const Drawing& drawing, PictureFormat format) {
  return format == PictureFormat::kSvg ? drawing_svg(drawing) : drawing_png(drawing);
}

}  // namespace dlg
