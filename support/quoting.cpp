#include "support/quoting.h"

#include <fmt/format.h>

#include <charconv>

namespace dlg {
namespace {

/// The character behind the backslash at `at`: `\x0a`, else that which follows.
char escaped(std::string_view text, std::size_t& at) {
  const std::string_view rest = text.substr(at + 1);
  unsigned value = 0;
  if (rest.size() > 2 && rest.front() == 'x') {
    const char* end = rest.data() + 3;
    const auto result = std::from_chars(rest.data() + 1, end, value, 16);
    if (result.ec == std::errc() && result.ptr == end) {
      at += 4;
      return static_cast<char>(value);
    }
  }
  if (rest.empty()) return text[at++];
  at += 2;
  return rest.front();
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::optional<std::string> read_quoted(std::string_view text, std::size_t& at) {
  std::string inside;
  for (std::size_t i = at + 1; i < text.size() && text[i] != '\n';) {
    if (text[i] == '"') {
      at = i + 1;
      return inside;
    }
    inside += text[i] == '\\' ? escaped(text, i) : text[i++];
  }
  return std::nullopt;
}

}  // namespace dlg
