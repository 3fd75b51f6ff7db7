// Owns which numbers are images, and how they look: the images of a value or a parameter, and the shade of a
// number.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "driver/pictures/raster.h"
#include "ir/graph/types.h"

namespace dlg {

/// Row-major [chan, row, col]; with 3 channels they are red, green and blue, with 1 grey.
struct ImageSize {
  std::size_t channels = 1;
  std::size_t rows = 0;
  std::size_t columns = 0;

  std::size_t elements() const { return channels * rows * columns; }
};

/// One sample as an image: [row, col], [chan, row, col] with 1 or 3 channels, or a square of numbers in one
/// axis. nullopt: values of this shape are no image. `sample` has no batch.
std::optional<ImageSize> image_size(const Shape& sample);

/// Which images of one size numbers hold: image i begins at number i * size.elements().
struct ImageList {
  ImageSize size = {};
  std::size_t count = 0;                 // of all that there are
  std::vector<std::size_t> chosen = {};  // those that are shown, row by row of the sheet
  std::size_t across = 1;                // how many stand in a row of the sheet
};
/// More are not shown.
inline constexpr std::size_t kMostImages = 4096;

/// The planes of a value: of [chan, row, col] one for each channel, of any number of them; of [row, col] and
/// of a square of numbers in one axis one. nullopt: no image.
std::optional<ImageList> planes_of(const Shape& sample);

/// The images of weights. Of a convolution [units, chan, row, col] one for each unit, in colour, where there
/// are 3 channels, one where there is 1, else a row of the sheet for each unit with a plane for each channel;
/// of [chan, row, col] one for each channel; of [units, square] one for each unit; of another [row, col] the
/// whole as one. nullopt: no image.
std::optional<ImageList> filters_of(const Shape& weights);

/// Which numbers are black and white; between them shades are even steps, beyond them they are the same.
struct Shades {
  double black = 0;
  double white = 1;
};
/// 0 is middle grey, the number that is furthest from it black or white.
Shades signed_shades(std::span<const double> values);
/// 0 is black and the largest number white; where some are below 0, `signed_shades`.
Shades shades_of(std::span<const double> values);
/// "1 plane", "16 planes", "4096 of 8192 planes".
std::string counted_images(const ImageList& images, std::string_view noun);
/// "0 is black, 3.2 white".
std::string shades_text(const Shades& shades);

/// NaN is red.
Raster shaded_image(std::span<const double> values, const ImageSize& size, const Shades& shades);

/// The smallest number whose square is at least `count`.
std::size_t square_root_up(std::size_t count);

}  // namespace dlg
