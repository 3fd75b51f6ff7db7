#include "driver/pictures/raster.h"

#include <png.h>

#include <algorithm>

#include "support/check.h"

namespace dlg {
namespace {

bool is_grey(const Raster& raster) {
  return std::all_of(raster.pixels.begin(), raster.pixels.end(),
                     [](const Rgb& color) { return color == grey(color.red); });
}

/// As libpng reads them: one byte a pixel, or three.
std::vector<unsigned char> channels_of(const Raster& raster, std::size_t channels) {
  std::vector<unsigned char> bytes;
  bytes.reserve(raster.pixels.size() * channels);
  for (const Rgb& color : raster.pixels) {
    bytes.push_back(color.red);
    if (channels == 1) continue;
    bytes.push_back(color.green);
    bytes.push_back(color.blue);
  }
  return bytes;
}

}  // namespace

std::string png_bytes(const Raster& raster) {
  const std::size_t channels = is_grey(raster) ? 1 : 3;
  const std::vector<unsigned char> bytes = channels_of(raster, channels);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(raster.columns);
  image.height = static_cast<png_uint_32>(raster.rows);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  const auto write = [&](void* memory, png_alloc_size_t& size) {
    return png_image_write_to_memory(&image, memory, &size, 0, bytes.data(), 0, nullptr) != 0;
  };
  png_alloc_size_t size = 0;
  DLG_CHECK(write(nullptr, size), "libpng tells the size of a picture");
  std::string file(size, '\0');
  DLG_CHECK(write(file.data(), size), "libpng writes a picture into memory");
  file.resize(size);
  return file;
}

}  // namespace dlg
