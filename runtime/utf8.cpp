// Owns the UTF-8 table of the Unicode standard (table 3-7).
#include "runtime/utf8.h"

#include <array>
#include <cstddef>

namespace dlg {
namespace {

/// Well-formed sequences by their first byte: how many bytes follow, and the range of the first of them.
struct Lead {
  unsigned char first;
  unsigned char last;
  std::size_t following;
  unsigned char second_min;
  unsigned char second_max;
};

constexpr std::array<Lead, 9> kLeads = {{{0x00, 0x7F, 0, 0, 0},
                                         {0xC2, 0xDF, 1, 0x80, 0xBF},
                                         {0xE0, 0xE0, 2, 0xA0, 0xBF},
                                         {0xE1, 0xEC, 2, 0x80, 0xBF},
                                         {0xED, 0xED, 2, 0x80, 0x9F},
                                         {0xEE, 0xEF, 2, 0x80, 0xBF},
                                         {0xF0, 0xF0, 3, 0x90, 0xBF},
                                         {0xF1, 0xF3, 3, 0x80, 0xBF},
                                         {0xF4, 0xF4, 3, 0x80, 0x8F}}};

const Lead* lead_of(unsigned char byte) {
  for (const Lead& lead : kLeads) {
    if (byte >= lead.first && byte <= lead.last) return &lead;
  }
  return nullptr;
}

bool follows(const Lead& lead, std::string_view tail) {
  if (tail.size() < lead.following) return false;
  for (std::size_t i = 0; i < lead.following; ++i) {
    const auto byte = static_cast<unsigned char>(tail[i]);
    const unsigned char min = i == 0 ? lead.second_min : 0x80;
    const unsigned char max = i == 0 ? lead.second_max : 0xBF;
    if (byte < min || byte > max) return false;
  }
  return true;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const Lead* lead = lead_of(static_cast<unsigned char>(bytes.front()));
    if (lead == nullptr || !follows(*lead, bytes.substr(1))) return false;
    bytes.remove_prefix(1 + lead->following);
  }
  return true;
}

}  // namespace dlg
