// Owns the parser's place in the tokens: looking ahead, brackets, what was found where something else was
// expected, and going on after an error.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/text/ast.h"
#include "frontend/text/lexer.h"

namespace dlg {

/// After an error the cursor has failed: `take_if` and the `expect` functions refuse without a word until
/// `recover`.
class TokenCursor {
 public:
  TokenCursor(const Sources& sources, TokenList list, Diagnostics& diagnostics);

  /// The next token; inside round and square brackets newlines are stepped over.
  const Token& peek();
  /// The token behind `peek()`; newlines are not stepped over.
  const Token& peek_second();
  bool at(TokenKind kind) { return peek().kind == kind; }
  bool at_word(std::string_view word);
  /// The end of a line, of the block or of the file.
  bool at_statement_end();
  /// True if no newline stands between the last token taken and the next.
  bool is_on_same_line() const;
  const Token& last() const { return list_.tokens[last_]; }

  Token take();
  /// Takes a name that is meant to be `meaning`.
  Token take_as(std::string meaning);
  bool take_if(TokenKind kind);
  std::optional<Token> expect(TokenKind kind, std::string_view what);
  std::optional<ast::Name> expect_name(std::string_view what);
  void skip_newlines();
  /// Steps over newlines to the first token of a statement, from which `recover` goes on.
  void start_statement();
  /// True, and at that token, if a token of `kind` comes next after any newlines.
  bool go_to_line_with(TokenKind kind);

  /// True if a token of `kind` comes before the statement, the list item or the pipe under way ends; what is
  /// in brackets is stepped over.
  bool has_ahead(TokenKind kind) const;

  /// Takes the bracket at the cursor; its place for `leave`. Nothing, with an error, if a round or square one
  /// is never closed or nesting is too deep.
  std::optional<std::size_t> enter();
  /// Takes the closing bracket; `what` is said to be expected where it is missing.
  void leave(std::size_t open, std::string_view what);
  /// After an error inside of it: goes behind the bracket that closes `open`.
  void skip_behind(std::size_t open);
  /// `open item (, item)* [,] close`, whose open bracket is at the cursor.
  template <class Item>
  void bracketed_list(Item item);
  /// True if the bracket at the cursor has a partner.
  bool is_closed() const { return match_[next_] != kNoMatch; }
  /// Counts a level of nesting without brackets; false, with an error, beyond the limit.
  bool nest();
  void unnest() { --depth_; }

  bool has_failed() const { return has_failed_; }
  /// "found X, expected WHAT" at the next token; silent about a token that is already reported.
  void fail_expecting(std::string_view what);
  template <class... Args>
  Report fail(SourceRange range, const Diag<Args...>& diag, const std::type_identity_t<Args>&... args) {
    has_failed_ = true;
    return diagnostics_.report(range, diag, args...);
  }
  /// An error after which parsing goes on.
  template <class... Args>
  Report report(SourceRange range, const Diag<Args...>& diag, const std::type_identity_t<Args>&... args) {
    return diagnostics_.report(range, diag, args...);
  }
  /// Goes on at the end of the line or before the `}` of the block; brackets are skipped as a whole.
  void recover();
  /// After an error in the head of a block: goes to the `{` on its line. False if there is none.
  bool recover_to_body();

  ast::Name name(const Token& token) const { return {text(token), range(token)}; }
  /// What the token means: without quotes, look-alikes replaced.
  std::string text(const Token& token) const;
  SourceRange range(const Token& token) const { return {list_.file, token.begin, token.end}; }
  SourceRange last_range() const { return range(last()); }
  FileId file() const { return list_.file; }

 private:
  static constexpr std::uint32_t kNoMatch = 0xffffffffu;

  void match_brackets();
  bool has_bad_token(std::size_t index) const;
  std::string describe_next();
  SourceRange next_range();
  void leave_brackets();
  void skip_to_line_end_or(TokenKind stop);

  const Sources& sources_;
  TokenList list_;
  Diagnostics& diagnostics_;
  std::vector<std::uint32_t> match_;  // by token: the index of the closing bracket
  std::vector<std::size_t> open_;     // the round and square brackets entered and not left
  std::size_t next_ = 0;
  std::size_t last_ = 0;
  int depth_ = 0;
  bool has_failed_ = false;
};

/// The bracket that closes `open`.
TokenKind closing_bracket(TokenKind open);

template <class Item>
void TokenCursor::bracketed_list(Item item) {
  const TokenKind closing = closing_bracket(peek().kind);
  const std::optional<std::size_t> open = enter();
  if (!open) return;
  while (!has_failed_ && !at(closing)) {
    item();
    if (!take_if(TokenKind::kComma)) break;
  }
  leave(*open, "`,` or " + describe(closing));
}

}  // namespace dlg
