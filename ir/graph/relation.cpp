#include "ir/graph/relation.h"

#include <array>

namespace dlg {
namespace {

/// In the order of Relation.
constexpr std::array<std::string_view, 6> kWords{"==", "!=", "<", "<=", ">", ">="};

}  // namespace

std::string_view relation_word(Relation relation) {
  return kWords[static_cast<std::size_t>(relation)];
}

std::optional<Relation> find_relation(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (kWords[i] == word) return static_cast<Relation>(i);
  }
  return std::nullopt;
}

}  // namespace dlg
