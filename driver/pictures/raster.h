// Owns pixels in memory, and how they become a PNG file.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace dlg {

struct Rgb {
  unsigned char red = 0;
  unsigned char green = 0;
  unsigned char blue = 0;

  friend bool operator==(const Rgb&, const Rgb&) = default;
};

inline constexpr Rgb kBlack{0, 0, 0};
inline constexpr Rgb kWhite{255, 255, 255};

/// A grey between black (0) and white (255).
constexpr Rgb grey(unsigned char shade) {
  return {shade, shade, shade};
}

/// Pixels row by row, the upper left one first.
struct Raster {
  std::size_t columns = 0;
  std::size_t rows = 0;
  std::vector<Rgb> pixels = {};

  Raster(std::size_t columns_wanted, std::size_t rows_wanted, Rgb ground)
      : columns(columns_wanted), rows(rows_wanted), pixels(columns * rows, ground) {}

  Rgb& at(std::size_t row, std::size_t column) { return pixels[row * columns + column]; }
  const Rgb& at(std::size_t row, std::size_t column) const { return pixels[row * columns + column]; }
};

/// The bytes of a PNG file: grey where all pixels are, else RGB.
std::string png_bytes(const Raster& raster);

}  // namespace dlg
