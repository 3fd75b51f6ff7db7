// Owns the words of textual IR for kinds of states and initial values.
#pragma once

#include <optional>
#include <string_view>

#include "ir/graph/graph.h"

namespace dlg {

std::string_view state_kind_word(StateKind kind);
std::optional<StateKind> parse_state_kind(std::string_view word);
std::string_view initializer_word(Initializer::Kind kind);
std::optional<Initializer::Kind> parse_initializer_kind(std::string_view word);

}  // namespace dlg
