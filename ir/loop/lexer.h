// Owns the tokens of the loop text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/source.h"

namespace dlg::loop {

enum class TokenKind : std::uint8_t {
  kWord,      // bare or quoted name; `text` is unquoted
  kString,    // a quoted name
  kRegister,  // `%12`; `text` is the digits
  kNumber,    // without a sign
  kSymbol,    // `{ } ( ) [ ] , : = | + - *`, `->`, `..`
  kUnknown,   // a byte that begins no token, or a string without an end
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  SourceRange range;
  std::string comment;  // what follows `; ` on the same line, if nothing stands between
};

/// All tokens of a text, the last of kind kEnd. Comments run from `;` to the end of the line.
std::vector<Token> lex(std::string_view text, FileId file);

}  // namespace dlg::loop
