#include "support/unicode.h"

#include <algorithm>
#include <array>

namespace dlg {
namespace {

struct Interval {
  char32_t first;
  char32_t last;
};

/// Sorted. The blocks whose marks sit on the character before them.
constexpr std::array kCombining = {
    Interval{0x300, 0x36f},   Interval{0x483, 0x489},   Interval{0x591, 0x5bd},   Interval{0x610, 0x61a},
    Interval{0x64b, 0x65f},   Interval{0x1ab0, 0x1aff}, Interval{0x1dc0, 0x1dff}, Interval{0x20d0, 0x20ff},
    Interval{0xfe00, 0xfe0f}, Interval{0xfe20, 0xfe2f}};

/// Sorted. East Asian Wide and Fullwidth blocks, and the blocks of pictures.
constexpr std::array kWide = {
    Interval{0x1100, 0x115f},   Interval{0x2e80, 0x303e},  Interval{0x3041, 0x33ff},
    Interval{0x3400, 0x4dbf},   Interval{0x4e00, 0x9fff},  Interval{0xa000, 0xa4cf},
    Interval{0xac00, 0xd7a3},   Interval{0xf900, 0xfaff},  Interval{0xfe30, 0xfe4f},
    Interval{0xff00, 0xff60},   Interval{0xffe0, 0xffe6},  Interval{0x1f300, 0x1f64f},
    Interval{0x1f900, 0x1f9ff}, Interval{0x20000, 0x3fffd}};

/// Sorted.
constexpr std::array kInvisible = {
    Interval{0xad, 0xad},     Interval{0x61c, 0x61c},   Interval{0x180e, 0x180e}, Interval{0x200b, 0x200f},
    Interval{0x2028, 0x202e}, Interval{0x2060, 0x206f}, Interval{0xfeff, 0xfeff}, Interval{0xe0000, 0xe007f}};

template <std::size_t kCount>
bool contains(const std::array<Interval, kCount>& intervals, char32_t c) {
  const auto after = std::upper_bound(intervals.begin(), intervals.end(), c,
                                      [](char32_t value, const Interval& i) { return value < i.first; });
  return after != intervals.begin() && c <= (after - 1)->last;
}

/// The form of a sequence by its first byte.
struct Lead {
  std::size_t length = 0;
  unsigned char payload_mask = 0;
  char32_t smallest = 0;
};

std::optional<Lead> lead_of(unsigned char byte) {
  if (byte < 0x80) return Lead{1, 0x7f, 0};
  if ((byte & 0xe0u) == 0xc0) return Lead{2, 0x1f, 0x80};
  if ((byte & 0xf0u) == 0xe0) return Lead{3, 0x0f, 0x800};
  if ((byte & 0xf8u) == 0xf0) return Lead{4, 0x07, 0x10000};
  return std::nullopt;
}

}  // namespace

bool is_continuation_byte(char c) {
  return (static_cast<unsigned char>(c) & 0xc0u) == 0x80u;
}

std::optional<CodePoint> decode_utf8(std::string_view text, std::size_t offset) {
  if (offset >= text.size()) return std::nullopt;
  const auto first = static_cast<unsigned char>(text[offset]);
  const std::optional<Lead> lead = lead_of(first);
  if (!lead || offset + lead->length > text.size()) return std::nullopt;
  char32_t value = first & lead->payload_mask;
  for (std::size_t i = 1; i < lead->length; ++i) {
    if (!is_continuation_byte(text[offset + i])) return std::nullopt;
    value = (value << 6u) | (static_cast<unsigned char>(text[offset + i]) & 0x3fu);
  }
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < lead->smallest || value > 0x10ffff || is_surrogate) return std::nullopt;
  return CodePoint{value, lead->length};
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t offset = 0; offset < text.size();) {
    const std::optional<CodePoint> point = decode_utf8(text, offset);
    if (!point) return offset;
    offset += point->length;
  }
  return std::nullopt;
}

int display_width(char32_t c) {
  if (c < 0x300) return 1;
  if (contains(kCombining, c)) return 0;
  return contains(kWide, c) ? 2 : 1;
}

bool is_invisible(char32_t c) {
  return contains(kInvisible, c);
}

}  // namespace dlg
