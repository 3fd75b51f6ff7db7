// Owns PNG files in tests: read by libpng into pixels.
#pragma once

#include <png.h>

#include <string>

#include "driver/pictures/raster.h"
#include "tests/catch.h"

namespace dlg::testing {

/// The pixels of the bytes of a PNG file.
inline Raster read_png(const std::string& bytes) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) != 0);
  image.format = PNG_FORMAT_RGB;
  std::vector<unsigned char> channels(PNG_IMAGE_SIZE(image));
  REQUIRE(png_image_finish_read(&image, nullptr, channels.data(), 0, nullptr) != 0);
  Raster raster(image.width, image.height, kBlack);
  for (std::size_t i = 0; i < raster.pixels.size(); ++i)
    raster.pixels[i] = {channels[3 * i], channels[3 * i + 1], channels[3 * i + 2]};
  return raster;
}

}  // namespace dlg::testing
