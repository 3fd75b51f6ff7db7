// Owns the words and name spelling of the loop text, shared by its printer and its reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ir/graph/text_cursor.h"
#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// "arena", "state", "data", ... and back.
std::string_view kind_word(BufferKind kind);
std::optional<BufferKind> parse_buffer_kind(std::string_view word);

/// "for", "vector", "lanes" and back.
std::string_view kind_word(LoopKind kind);
std::optional<LoopKind> parse_loop_kind(std::string_view word);

/// "iterations", "panels", "tiles" and back; "straight" and "loops".
std::string_view share_word(Share share);
std::optional<Share> parse_share(std::string_view word);
std::string_view form_word(StepForm form);
std::optional<StepForm> parse_form(std::string_view word);

/// The words of a loop program: names, quoted names, registers `%12`, numbers without a sign, symbols of one
/// byte, `->` and `..`. Comments are blanks.
extern const Lexis kLoopText;

/// Whether `name` is made of letters, digits, `_`, `.`, `'` and non-ASCII bytes, and starts with no digit,
/// dot or prime.
bool is_bare_word(std::string_view name);
/// `name` as it stands, or quoted when it is no bare word.
std::string name_word(std::string_view name);

}  // namespace dlg::loop
