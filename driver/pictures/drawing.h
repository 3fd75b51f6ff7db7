// Owns drawings of whole pixels: boxes, images and words, and their two written forms, PNG and SVG.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "driver/pictures/raster.h"

namespace dlg {

/// `x` goes to the right, `y` down, both from the upper left corner of the drawing.
struct Box {
  std::size_t x = 0;
  std::size_t y = 0;
  std::size_t width = 0;
  std::size_t height = 0;
  Rgb color;
};

/// Each pixel of the image is a square of `zoom` pixels of the drawing.
struct PlacedImage {
  std::size_t x = 0;
  std::size_t y = 0;
  std::size_t zoom = 1;
  Raster image;
};

/// One line of text; x and y are its upper left corner.
struct PlacedWords {
  std::size_t x = 0;
  std::size_t y = 0;
  std::string text;  // UTF-8
  Rgb color = kBlack;
};

inline constexpr std::size_t kWordsHeight = 14;
/// How many pixels of the drawing a text is wide.
std::size_t width_of_words(std::string_view text);
/// Characters that cannot be written, and what is no UTF-8, become `?`; beyond `most` characters it is cut.
std::string shown_words(std::string_view text, std::size_t most);

/// Boxes first, images over them, words over all.
struct Drawing {
  std::size_t width = 0;
  std::size_t height = 0;
  Rgb ground = kWhite;
  std::vector<Box> boxes = {};
  std::vector<PlacedImage> images = {};
  std::vector<PlacedWords> words = {};
};

enum class PictureFormat { kPng, kSvg };

/// The endings of files that hold pictures: ".png", ".svg".
const std::vector<std::string>& picture_endings();
/// That of a file whose ending is one of them.
PictureFormat picture_format(const std::string& path);

/// The bytes of a file. An SVG file has nothing from outside; its images are PNG inside of it.
std::string picture_bytes(const Drawing& drawing, PictureFormat format);

}  // namespace dlg
