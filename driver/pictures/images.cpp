#include "driver/pictures/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/text.h"

namespace dlg {
namespace {

constexpr Rgb kNotANumber{220, 0, 0};
/// Of units and of channels, where each of a convolution has a plane.
constexpr std::size_t kMostPlanes = 64;

std::vector<std::size_t> extents_of(const Shape& shape) {
  return {shape.dims().begin(), shape.dims().end()};
}

/// The side of a square of so many numbers.
std::optional<std::size_t> side_of(std::size_t count) {
  const std::size_t side = square_root_up(count);
  return side * side == count ? std::optional(side) : std::nullopt;
}

/// The first `count` images, about as many across as down.
ImageList grid_of(const ImageSize& size, std::size_t count) {
  ImageList images{size, count, std::vector<std::size_t>(std::min(count, kMostImages)), 1};
  std::iota(images.chosen.begin(), images.chosen.end(), std::size_t{0});
  images.across = square_root_up(images.chosen.size());
  return images;
}

/// A row for each unit.
ImageList planes_of_units(const std::vector<std::size_t>& extents) {
  ImageList images{{1, extents[2], extents[3]}, extents[0] * extents[1], {}, 1};
  images.across = std::min(extents[1], kMostPlanes);
  for (std::size_t unit = 0; unit < std::min(extents[0], kMostPlanes); ++unit) {
    for (std::size_t channel = 0; channel < images.across; ++channel)
      images.chosen.push_back(unit * extents[1] + channel);
  }
  return images;
}

double largest_of(std::span<const double> values, double (*measure)(double)) {
  double largest = 0;
  for (const double value : values) {
    const double size = measure(value);
    if (std::isfinite(size)) largest = std::max(largest, size);
  }
  return largest == 0 ? 1 : largest;
}

/// Halves: the difference of two finite numbers need not be finite.
unsigned char shade(double value, const Shades& shades) {
  const double share = (value / 2 - shades.black / 2) / (shades.white / 2 - shades.black / 2);
  return static_cast<unsigned char>(std::lround(std::clamp(share, 0.0, 1.0) * 255));
}

}  // namespace

std::size_t square_root_up(std::size_t count) {
  std::size_t root = 1;
  while (root * root < count) ++root;
  return root;
}

std::optional<ImageSize> image_size(const Shape& sample) {
  const std::optional<ImageList> planes = planes_of(sample);
  if (!planes) return std::nullopt;
  ImageSize size = planes->size;
  if (planes->count != 1 && planes->count != 3) return std::nullopt;
  size.channels = planes->count;
  return size;
}

std::optional<ImageList> planes_of(const Shape& sample) {
  const std::vector<std::size_t> extents = extents_of(sample);
  if (extents.size() == 2) return grid_of({1, extents[0], extents[1]}, 1);
  if (extents.size() == 3) return grid_of({1, extents[1], extents[2]}, extents[0]);
  if (extents.size() != 1) return std::nullopt;
  const std::optional<std::size_t> side = side_of(extents[0]);
  if (!side) return std::nullopt;
  return grid_of({1, *side, *side}, 1);
}

std::optional<ImageList> filters_of(const Shape& weights) {
  const std::vector<std::size_t> extents = extents_of(weights);
  if (extents.size() == 4 && (extents[1] == 1 || extents[1] == 3))
    return grid_of({extents[1], extents[2], extents[3]}, extents[0]);
  if (extents.size() == 4) return planes_of_units(extents);
  if (extents.size() == 3) return grid_of({1, extents[1], extents[2]}, extents[0]);
  if (extents.size() != 2) return std::nullopt;
  const std::optional<std::size_t> side = side_of(extents[1]);
  if (side && *side > 1) return grid_of({1, *side, *side}, extents[0]);
  return grid_of({1, extents[0], extents[1]}, 1);
}

Shades signed_shades(std::span<const double> values) {
  const double limit = largest_of(values, [](double value) { return std::abs(value); });
  return {-limit, limit};
}

Shades shades_of(std::span<const double> values) {
  const bool has_negative = std::any_of(values.begin(), values.end(), [](double value) { return value < 0; });
  if (has_negative) return signed_shades(values);
  return {0, largest_of(values, [](double value) { return value; })};
}

std::string counted_images(const ImageList& images, std::string_view noun) {
  const std::string all = counted(static_cast<long long>(images.count), noun);
  if (images.chosen.size() == images.count) return all;
  return fmt::format("{} of {}", images.chosen.size(), all);
}

std::string shades_text(const Shades& shades) {
  const std::string white = rounded_text(shades.white, 3);
  if (shades.black == 0) return fmt::format("0 is black, {} white", white);
  return fmt::format("{} is black, 0 grey, {} white", rounded_text(shades.black, 3), white);
}

Raster shaded_image(std::span<const double> values, const ImageSize& size, const Shades& shades) {
  Raster image(size.columns, size.rows, kNotANumber);
  const std::size_t places = size.rows * size.columns;
  for (std::size_t place = 0; place < places; ++place) {
    const double red = values[place];
    const double green = size.channels == 3 ? values[places + place] : red;
    const double blue = size.channels == 3 ? values[2 * places + place] : red;
    if (std::isnan(red) || std::isnan(green) || std::isnan(blue)) continue;
    image.pixels[place] = {shade(red, shades), shade(green, shades), shade(blue, shades)};
  }
  return image;
}

}  // namespace dlg
