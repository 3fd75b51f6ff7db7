// Owns which characters a program may hold: letters of names, and the look-alikes of ASCII that word
// processors and PDF files put in their place.
#pragma once

#include <optional>
#include <string_view>

namespace dlg {

/// What a look-alike stands for.
enum class LookAlikeKind { kBlank, kQuote, kSymbol, kLetter };

struct LookAlike {
  char32_t character;
  LookAlikeKind kind;
  std::string_view replacement;  // ASCII
  std::string_view name;         // "a typographic minus sign"
};

/// The ASCII text that is meant by `c`, where that is known.
std::optional<LookAlike> find_look_alike(char32_t c);

bool is_digit(char c);
/// A to Z, a to z, `_`.
bool is_name_start(char c);
/// Name start or digit.
bool is_name_part(char c);

}  // namespace dlg
