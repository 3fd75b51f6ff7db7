// Owns the relations between two numbers that `compare` knows, and their words.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dlg {

enum class Relation : std::uint8_t { kEqual, kUnequal, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

/// "==", "!=", "<", "<=", ">" or ">=".
std::string_view relation_word(Relation relation);
std::optional<Relation> find_relation(std::string_view word);

}  // namespace dlg
