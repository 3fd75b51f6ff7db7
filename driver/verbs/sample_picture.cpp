#include "driver/verbs/sample_picture.h"

#include <png.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/check.h"

namespace dlg {
namespace {

/// The shorter side of an image is at least so many pixels in the picture.
constexpr std::size_t kLeastSide = 32;
constexpr std::size_t kGap = 2;
constexpr unsigned char kGapShade = 128;

unsigned char shade(double value) {
  if (!(value > 0)) return 0;
  return static_cast<unsigned char>(std::lround(std::min(value, 1.0) * 255));
}

std::size_t square_root_up(std::size_t count) {
  std::size_t root = 1;
  while (root * root < count) ++root;
  return root;
}

/// Pixels, row by row, `channels` bytes each.
struct Canvas {
  std::size_t width;
  std::size_t height;
  std::size_t channels;
  std::vector<unsigned char> bytes;

  unsigned char* pixel(std::size_t row, std::size_t column) {
    return &bytes[(row * width + column) * channels];
  }
};

/// Where an image stands in the canvas, and how often each of its pixels is repeated either way.
struct Placement {
  std::size_t row;
  std::size_t column;
  std::size_t zoom;
};

void draw_image(Canvas& canvas, std::span<const double> image, const ImageSize& size, const Placement& at) {
  for (std::size_t row = 0; row < size.rows * at.zoom; ++row) {
    for (std::size_t column = 0; column < size.columns * at.zoom; ++column) {
      const std::size_t place = row / at.zoom * size.columns + column / at.zoom;
      unsigned char* pixel = canvas.pixel(at.row + row, at.column + column);
      for (std::size_t channel = 0; channel < size.channels; ++channel)
        pixel[channel] = shade(image[channel * size.rows * size.columns + place]);
    }
  }
}

std::string encoded(const Canvas& canvas) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(canvas.width);
  image.height = static_cast<png_uint_32>(canvas.height);
  image.format = canvas.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  const auto write = [&](void* memory, png_alloc_size_t& size) {
    return png_image_write_to_memory(&image, memory, &size, 0, canvas.bytes.data(), 0, nullptr) != 0;
  };
  png_alloc_size_t size = 0;
  DLG_CHECK(write(nullptr, size), "libpng tells the size of a picture");
  std::string file(size, '\0');
  DLG_CHECK(write(file.data(), size), "libpng writes a picture into memory");
  file.resize(size);
  return file;
}

}  // namespace

std::optional<ImageSize> image_size(const Shape& sample) {
  const std::vector<std::int64_t>& dims = sample.dims();
  const auto at = [&](std::size_t axis) { return static_cast<std::size_t>(dims[axis]); };
  if (dims.size() == 2) return ImageSize{1, at(0), at(1)};
  if (dims.size() == 3 && (dims[0] == 1 || dims[0] == 3)) return ImageSize{at(0), at(1), at(2)};
  if (dims.size() != 1) return std::nullopt;
  const std::size_t side = square_root_up(at(0));
  if (side * side != at(0)) return std::nullopt;
  return ImageSize{1, side, side};
}

std::string grid_png(std::span<const double> values, const ImageSize& size) {
  const std::size_t count = values.size() / size.elements();
  const std::size_t across = square_root_up(count);
  const std::size_t down = (count + across - 1) / across;
  const std::size_t zoom = std::max<std::size_t>(1, kLeastSide / std::min(size.rows, size.columns));
  const std::size_t tile_rows = size.rows * zoom + kGap;
  const std::size_t tile_columns = size.columns * zoom + kGap;
  Canvas canvas{across * tile_columns + kGap, down * tile_rows + kGap, size.channels, {}};
  canvas.bytes.assign(canvas.width * canvas.height * canvas.channels, kGapShade);
  for (std::size_t i = 0; i < count; ++i) {
    const Placement at{kGap + i / across * tile_rows, kGap + i % across * tile_columns, zoom};
    draw_image(canvas, values.subspan(i * size.elements(), size.elements()), size, at);
  }
  return encoded(canvas);
}

}  // namespace dlg
