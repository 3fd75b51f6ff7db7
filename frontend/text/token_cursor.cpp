#include "frontend/text/token_cursor.h"

#include <fmt/format.h>

#include "support/check.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string_view> kUnexpectedToken{DiagCode::UnexpectedToken, Severity::kError,
                                                               "found {}, expected {}"};
constexpr Diag<std::string> kUnclosedBracket{DiagCode::UnclosedBracket, Severity::kError,
                                             "{} is never closed"};
constexpr Diag<int> kNestingTooDeep{DiagCode::NestingTooDeep, Severity::kError,
                                    "the expression is nested deeper than {} levels"};

constexpr int kMaxNesting = 256;
constexpr std::size_t kShownText = 40;

bool is_opening(TokenKind kind) {
  return kind == TokenKind::kOpenParen || kind == TokenKind::kOpenBracket || kind == TokenKind::kOpenBrace;
}

bool is_closing(TokenKind kind) {
  return kind == TokenKind::kCloseParen || kind == TokenKind::kCloseBracket || kind == TokenKind::kCloseBrace;
}

}  // namespace

TokenKind closing_bracket(TokenKind open) {
  if (open == TokenKind::kOpenParen) return TokenKind::kCloseParen;
  return open == TokenKind::kOpenBracket ? TokenKind::kCloseBracket : TokenKind::kCloseBrace;
}

TokenCursor::TokenCursor(const Sources& sources, TokenList list, Diagnostics& diagnostics)
    : sources_(sources), list_(std::move(list)), diagnostics_(diagnostics) {
  match_brackets();
}

/// A bracket closes the nearest open bracket of its kind; those opened in between have no partner. Round and
/// square brackets do not reach across a brace.
void TokenCursor::match_brackets() {
  match_.assign(list_.tokens.size(), kNoMatch);
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < list_.tokens.size(); ++i) {
    const TokenKind kind = list_.tokens[i].kind;
    if (is_opening(kind)) open.push_back(i);
    if (!is_closing(kind)) continue;
    std::size_t depth = open.size();
    const auto kind_at = [&](std::size_t d) { return list_.tokens[open[d - 1]].kind; };
    while (depth > 0 && closing_bracket(kind_at(depth)) != kind && kind_at(depth) != TokenKind::kOpenBrace)
      --depth;
    const bool is_found = depth > 0 && closing_bracket(kind_at(depth)) == kind;
    if (!is_found) continue;
    match_[open[depth - 1]] = static_cast<std::uint32_t>(i);
    open.resize(depth - 1);
  }
}

const Token& TokenCursor::peek() {
  while (!open_.empty() && list_.tokens[next_].kind == TokenKind::kNewline) ++next_;
  return list_.tokens[next_];
}

const Token& TokenCursor::peek_second() {
  return peek().kind == TokenKind::kEnd ? list_.tokens[next_] : list_.tokens[next_ + 1];
}

bool TokenCursor::at_word(std::string_view word) {
  return at(TokenKind::kName) && text(peek()) == word;
}

bool TokenCursor::at_statement_end() {
  return at(TokenKind::kNewline) || at(TokenKind::kCloseBrace) || at(TokenKind::kEnd);
}

bool TokenCursor::is_on_same_line() const {
  return list_.tokens[last_ + 1 < list_.tokens.size() ? last_ + 1 : last_].kind != TokenKind::kNewline;
}

Token TokenCursor::take() {
  const Token token = peek();
  last_ = next_;
  if (token.kind != TokenKind::kEnd) ++next_;
  return token;
}

Token TokenCursor::take_as(std::string meaning) {
  list_.mended[peek().begin] = std::move(meaning);
  return take();
}

bool TokenCursor::take_if(TokenKind kind) {
  if (has_failed_ || !at(kind)) return false;
  take();
  return true;
}

std::optional<Token> TokenCursor::expect(TokenKind kind, std::string_view what) {
  if (has_failed_) return std::nullopt;
  if (at(kind)) return take();
  fail_expecting(what);
  return std::nullopt;
}

std::optional<ast::Name> TokenCursor::expect_name(std::string_view what) {
  const std::optional<Token> token = expect(TokenKind::kName, what);
  if (!token) return std::nullopt;
  return name(*token);
}

void TokenCursor::skip_newlines() {
  while (list_.tokens[next_].kind == TokenKind::kNewline) ++next_;
}

void TokenCursor::start_statement() {
  skip_newlines();
  if (next_ > 0) last_ = next_ - 1;
}

bool TokenCursor::go_to_line_with(TokenKind kind) {
  std::size_t ahead = next_;
  while (list_.tokens[ahead].kind == TokenKind::kNewline) ++ahead;
  if (list_.tokens[ahead].kind != kind) return false;
  next_ = ahead;
  return true;
}

bool TokenCursor::has_ahead(TokenKind kind) const {
  std::size_t ahead = next_;
  while (list_.tokens[ahead].kind != kind) {
    const TokenKind here = list_.tokens[ahead].kind;
    const bool is_end = here == TokenKind::kEnd || here == TokenKind::kComma || here == TokenKind::kPipe ||
                        is_closing(here) || (here == TokenKind::kNewline && open_.empty());
    if (is_end) return false;
    ahead = match_[ahead] == kNoMatch ? ahead + 1 : match_[ahead] + 1;
  }
  return true;
}

std::optional<std::size_t> TokenCursor::enter() {
  const Token open = peek();
  const std::size_t index = next_;
  const bool is_brace = open.kind == TokenKind::kOpenBrace;
  if (!is_brace && match_[index] == kNoMatch) {
    has_failed_ = true;
    if (!has_bad_token(index)) report(range(open), kUnclosedBracket, describe(open.kind));
    take();
    return std::nullopt;
  }
  if (!is_brace && !nest()) return std::nullopt;
  take();
  if (!is_brace) open_.push_back(index);
  return index;
}

/// True if the line of token `index` holds, behind it, something that is already reported: a string without
/// its end has swallowed the closing bracket.
bool TokenCursor::has_bad_token(std::size_t index) const {
  const auto is_line_end = [](TokenKind kind) {
    return kind == TokenKind::kNewline || kind == TokenKind::kEnd;
  };
  while (list_.tokens[index].kind != TokenKind::kBad && !is_line_end(list_.tokens[index].kind)) ++index;
  return list_.tokens[index].kind == TokenKind::kBad;
}

void TokenCursor::leave(std::size_t open, std::string_view what) {
  if (has_failed_) return;
  const Token opening = list_.tokens[open];
  if (!at(closing_bracket(opening.kind))) {
    fail_expecting(what);
    return;
  }
  take();
  if (opening.kind == TokenKind::kOpenBrace) return;
  DLG_CHECK(!open_.empty() && open_.back() == open, "brackets are left in the order of their nesting");
  open_.pop_back();
  unnest();
}

void TokenCursor::skip_behind(std::size_t open) {
  if (match_[open] == kNoMatch) return;
  last_ = match_[open];
  next_ = last_ + 1;
}

bool TokenCursor::nest() {
  if (depth_ < kMaxNesting) {
    ++depth_;
    return true;
  }
  fail(next_range(), kNestingTooDeep, kMaxNesting).note("give a name to a part of it");
  return false;
}

void TokenCursor::fail_expecting(std::string_view what) {
  if (has_failed_) return;
  has_failed_ = true;
  if (at(TokenKind::kBad)) return;
  diagnostics_.report(next_range(), kUnexpectedToken, describe_next(), what);
}

std::string TokenCursor::describe_next() {
  const Token& token = peek();
  if (token.kind != TokenKind::kName && token.kind != TokenKind::kNumber) return describe(token.kind);
  const std::string_view text = sources_.text(range(token));
  return text.size() <= kShownText ? fmt::format("`{}`", text) : describe(token.kind);
}

/// The end of a line is shown behind the last token.
SourceRange TokenCursor::next_range() {
  const Token& token = peek();
  if (token.kind != TokenKind::kNewline && token.kind != TokenKind::kEnd) return range(token);
  return {list_.file, last().end, last().end};
}

void TokenCursor::leave_brackets() {
  const bool is_matched = !open_.empty() && match_[open_.front()] != kNoMatch;
  if (is_matched) next_ = match_[open_.front()] + 1;
  if (!is_matched && next_ > last_) next_ = last_ + 1;
  open_.clear();
  depth_ = 0;
  has_failed_ = false;
}

void TokenCursor::skip_to_line_end_or(TokenKind stop) {
  while (!at_statement_end() && !at(stop)) {
    next_ = match_[next_] == kNoMatch ? next_ + 1 : match_[next_] + 1;
  }
  if (next_ > 0) last_ = next_ - 1;
}

void TokenCursor::recover() {
  leave_brackets();
  skip_to_line_end_or(TokenKind::kNewline);
}

bool TokenCursor::recover_to_body() {
  leave_brackets();
  skip_to_line_end_or(TokenKind::kOpenBrace);
  return at(TokenKind::kOpenBrace);
}

std::string TokenCursor::text(const Token& token) const {
  const auto mended = list_.mended.find(token.begin);
  return mended == list_.mended.end() ? std::string(sources_.text(range(token))) : mended->second;
}

}  // namespace dlg
