// Owns samples as a picture: each a small image, all of them in a grid.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "ir/graph/types.h"

namespace dlg {

/// Of one sample: [row, col], [chan, row, col] with 1 or 3 channels, or a square of numbers in one axis.
struct ImageSize {
  std::size_t channels = 1;
  std::size_t rows = 0;
  std::size_t columns = 0;

  std::size_t elements() const { return channels * rows * columns; }
};
/// nullopt: values of this shape are no images. `sample` has no batch.
std::optional<ImageSize> image_size(const Shape& sample);

/// A PNG file, grey or RGB: 0 is black, 1 white or full colour, what is outside is cut off, NaN is black.
/// `values` has whole samples, row-major. Small images are enlarged.
std::string grid_png(std::span<const double> values, const ImageSize& size);

}  // namespace dlg
