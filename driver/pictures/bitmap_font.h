// Owns the letters of words in PNG files: five by seven pixels each, for the characters of ASCII.
#pragma once

#include <array>
#include <cstddef>

namespace dlg {

inline constexpr std::size_t kGlyphColumns = 5;
inline constexpr std::size_t kGlyphRows = 7;

/// Its columns from the left, the upper pixel in the lowest bit.
using Glyph = std::array<unsigned char, kGlyphColumns>;

/// A character that the font does not have is a frame.
const Glyph& glyph_of(char32_t character);

}  // namespace dlg
