#include "ir/loop/words.h"

#include <algorithm>
#include <array>

#include "support/quoting.h"

namespace dlg::loop {
namespace {

/// Indexed by BufferKind.
constexpr std::array<std::string_view, 7> kBufferKinds{"arena", "state",  "data",    "row_order",
                                                       "hyper", "output", "constant"};

/// Indexed by LoopKind.
constexpr std::array<std::string_view, 4> kLoopKinds{"for", "parallel", "vector", "lanes"};

/// Indexed by Share.
constexpr std::array<std::string_view, 5> kShares{"nothing", "iterations", "pairs", "panels", "tiles"};

/// Indexed by StepForm.
constexpr std::array<std::string_view, 2> kForms{"loops", "straight"};

/// The place of `word` in its table.
template <class Kind, std::size_t kCount>
std::optional<Kind> find_word(const std::array<std::string_view, kCount>& words, std::string_view word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return static_cast<Kind>(found - words.begin());
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word_part(char c) {
  return is_letter(c) || is_digit(c) || c == '.' || c == '\'';
}

/// The byte at `at`; behind the end 0.
char byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? text[at] : '\0';
}

/// Where the digits that begin at `at` end.
std::size_t digits_end(std::string_view text, std::size_t at) {
  while (is_digit(byte_at(text, at))) ++at;
  return at;
}

/// Two dots in a row are a range.
std::size_t name_size(std::string_view text) {
  std::size_t size = 0;
  if (!is_letter(byte_at(text, 0))) return size;
  while (is_word_part(byte_at(text, size)) && text.substr(size, 2) != "..") ++size;
  return size;
}

/// Of a number that begins with a digit: "12", "0.5", "1e-05".
std::size_t number_size(std::string_view text) {
  std::size_t size = digits_end(text, 0);
  if (byte_at(text, size) == '.') size = std::max(size, digits_end(text, size + 1));
  if (byte_at(text, size - 1) == '.') --size;
  if (byte_at(text, size) != 'e' && byte_at(text, size) != 'E') return size;
  const char sign = byte_at(text, size + 1);
  const std::size_t exponent = size + (sign == '+' || sign == '-' ? 2 : 1);
  return is_digit(byte_at(text, exponent)) ? digits_end(text, exponent) : size;
}

/// A quoted name without an end goes to the end of its line.
std::size_t quoted_size(std::string_view text) {
  std::size_t size = 0;
  return read_quoted(text, size) ? size : std::min(text.find_first_of("\r\n"), text.size());
}

std::size_t word_size(std::string_view text) {
  if (text.front() == '"') return quoted_size(text);
  if (is_digit(text.front())) return number_size(text);
  if (text.front() == '%') return digits_end(text, 1);
  if (text.starts_with("->") || text.starts_with("..")) return 2;
  return std::max<std::size_t>(1, name_size(text));
}

}  // namespace

constinit const Lexis kLoopText{
    .blanks = " \t\r\n", .has_comments = true, .name_size = name_size, .word_size = word_size};

std::string_view kind_word(BufferKind kind) {
  return kBufferKinds[static_cast<std::size_t>(kind)];
}

std::optional<BufferKind> parse_buffer_kind(std::string_view word) {
  return find_word<BufferKind>(kBufferKinds, word);
}

std::string_view kind_word(LoopKind kind) {
  return kLoopKinds[static_cast<std::size_t>(kind)];
}

std::optional<LoopKind> parse_loop_kind(std::string_view word) {
  return find_word<LoopKind>(kLoopKinds, word);
}

std::string_view share_word(Share share) {
  return kShares[static_cast<std::size_t>(share)];
}

std::optional<Share> parse_share(std::string_view word) {
  return find_word<Share>(kShares, word);
}

std::string_view form_word(StepForm form) {
  return kForms[static_cast<std::size_t>(form)];
}

std::optional<StepForm> parse_form(std::string_view word) {
  return find_word<StepForm>(kForms, word);
}

bool is_bare_word(std::string_view name) {
  // A dot at the end would be part of a range behind it.
  return !name.empty() && name_size(name) == name.size() && name.back() != '.';
}

std::string name_word(std::string_view name) {
  return is_bare_word(name) ? std::string(name) : quoted(name);
}

}  // namespace dlg::loop
