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
constexpr std::array<std::string_view, 4> kShares{"nothing", "iterations", "panels", "tiles"};

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

}  // namespace

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

bool is_word_start(char c) {
  return is_letter(c);
}

bool is_word_part(char c) {
  return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '\'';
}

bool is_bare_word(std::string_view name) {
  // Two dots in a row would read as a range.
  return !name.empty() && is_word_start(name.front()) &&
         std::all_of(name.begin(), name.end(), is_word_part) && name.find("..") == std::string_view::npos &&
         name.back() != '.';
}

std::string name_word(std::string_view name) {
  return is_bare_word(name) ? std::string(name) : quoted(name);
}

}  // namespace dlg::loop
