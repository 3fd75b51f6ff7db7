#include "ir/graph/text_words.h"

#include <array>

namespace dlg {
namespace {

/// Indexed by StateKind and by Initializer::Kind.
constexpr std::array<std::string_view, 5> kStateKinds{"parameter", "constant", "model", "optimizer", "step"};
constexpr std::array<std::string_view, 5> kInitializers{"fill", "literal", "uniform", "normal", "orthogonal"};

template <class Kind, std::size_t count>
std::optional<Kind> find_word(const std::array<std::string_view, count>& words, std::string_view word) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return static_cast<Kind>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view state_kind_word(StateKind kind) {
  return kStateKinds[static_cast<std::size_t>(kind)];
}

std::optional<StateKind> parse_state_kind(std::string_view word) {
  return find_word<StateKind>(kStateKinds, word);
}

std::string_view initializer_word(Initializer::Kind kind) {
  return kInitializers[static_cast<std::size_t>(kind)];
}

std::optional<Initializer::Kind> parse_initializer_kind(std::string_view word) {
  return find_word<Initializer::Kind>(kInitializers, word);
}

}  // namespace dlg
