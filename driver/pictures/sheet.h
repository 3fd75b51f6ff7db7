// Owns sheets: images of one size in a grid, each with words below it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "driver/pictures/drawing.h"
#include "driver/pictures/images.h"

namespace dlg {

struct SheetCell {
  Raster image;
  std::vector<std::string> lines = {};
  Rgb color = kBlack;  // of the words
};

struct Sheet {
  std::vector<SheetCell> cells = {};
  std::size_t across = 1;
  /// The shorter side of an image is enlarged to about so many pixels, by a whole number of times.
  std::size_t side = 32;
};

/// Where there are words the ground is white, else a colour that no grey is.
Drawing sheet_drawing(const Sheet& sheet);

/// The images of `list` that are chosen.
Sheet sheet_of(std::span<const double> values, const ImageList& list, const Shades& shades);

}  // namespace dlg
