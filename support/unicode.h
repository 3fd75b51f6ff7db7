// Owns what dlg knows of Unicode: reading UTF-8, the width of a character on a terminal, characters nobody
// sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace dlg {

/// One code point and the number of bytes it takes.
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;
};

/// The code point at `offset`; nothing where the bytes are not UTF-8 (overlong forms, surrogates, values over
/// U+10FFFF and cut sequences are not).
std::optional<CodePoint> decode_utf8(std::string_view text, std::size_t offset);

/// The offset of the first byte that is not part of valid UTF-8.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// True for bytes 10xxxxxx, which never begin a code point.
bool is_continuation_byte(char c);

/// Columns on a terminal: 0 for combining marks, 2 for wide East Asian characters and pictures, else 1.
int display_width(char32_t c);

/// Characters that change what a reader sees without being seen: bidirectional controls, zero-width
/// characters, soft hyphens. Text that holds them can show something else than what is compiled
/// (CVE-2021-42574).
bool is_invisible(char32_t c);

}  // namespace dlg
