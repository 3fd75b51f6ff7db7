// Owns the way from text to tokens: strict about bytes, numbers and quotes, and telling what was meant where
// it can.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "support/diagnostic.h"
#include "support/source.h"

namespace dlg {

enum class TokenKind : std::uint8_t {
  kEnd,
  kNewline,
  kBad,  // already reported
  kName,
  kNumber,
  kString,
  kOpenParen,
  kCloseParen,
  kOpenBracket,
  kCloseBracket,
  kOpenBrace,
  kCloseBrace,
  kComma,
  kColon,
  kDot,
  kRange,      // ..
  kRest,       // ...
  kEquals,     // =
  kArrow,      // ->
  kAssign,     // <-
  kPlusMinus,  // +-
  kTilde,      // ~
  kPipe,       // |>
  kPlus,
  kMinus,
  kStar,
  kSlash,
  kAt,
  kCaret,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqualEqual,
  kNotEqual,
};

/// Bytes [begin, end) of the file. A string's range includes its quotes.
struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// The tokens of one file, the last of them kEnd. Newlines are tokens; comments are not.
struct TokenList {
  FileId file;
  std::vector<Token> tokens;
  /// What a name or number token means whose text was refused but understood (`θ` is `theta`), by its begin.
  std::map<std::uint32_t, std::string> mended;
};

/// Splits the text of `file` into tokens. Text that is no UTF-8 gives no tokens but kEnd.
TokenList tokenize(const Sources& sources, FileId file, Diagnostics& diagnostics);

/// "`|>`", "a name", "the end of the line": how messages call a kind of token.
std::string describe(TokenKind kind);

}  // namespace dlg
