#include "ir/loop/lexer.h"

#include <algorithm>
#include <optional>

#include "ir/loop/words.h"
#include "support/quoting.h"
#include "support/text.h"

namespace dlg::loop {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Lexer {
 public:
  Lexer(std::string_view text, FileId file) : text_(text), file_(file) {}

  std::vector<Token> run() {
    while (skip_blanks()) next_token();
    push(TokenKind::kEnd, at_, "");
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void push(TokenKind kind, std::size_t begin, std::string text) {
    const SourceRange range{file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at_)};
    tokens_.push_back({kind, std::move(text), range, ""});
  }

  /// Answers whether a token follows.
  bool skip_blanks() {
    bool is_same_line = true;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == ';') {
        const std::size_t end = std::min(text_.find_first_of("\r\n", at_), text_.size());
        if (is_same_line && !tokens_.empty()) {
          tokens_.back().comment = std::string(trim(text_.substr(at_ + 1, end - at_ - 1)));
        }
        at_ = end;
        continue;
      }
      if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return true;
      if (c == '\n' || c == '\r') is_same_line = false;
      ++at_;
    }
    return false;
  }

  void next_token() {
    const std::size_t begin = at_;
    const char c = peek();
    if (c == '"') return string_token();
    if (is_word_start(c)) return word_token();
    if (is_digit(c)) return number_token();
    if (c == '%' && is_digit(peek(1))) {
      ++at_;
      while (is_digit(peek())) ++at_;
      return push(TokenKind::kRegister, begin, std::string(text_.substr(begin + 1, at_ - begin - 1)));
    }
    const std::string_view two = text_.substr(at_, 2);
    const std::size_t length = two == "->" || two == ".." ? 2 : 1;
    const bool is_symbol = length == 2 || std::string_view("{}()[],:=|+-*").find(c) != std::string_view::npos;
    at_ += length;
    push(is_symbol ? TokenKind::kSymbol : TokenKind::kUnknown, begin,
         std::string(text_.substr(begin, length)));
  }

  void word_token() {
    const std::size_t begin = at_;
    while (is_word_part(peek()) && !(peek() == '.' && peek(1) == '.')) ++at_;
    push(TokenKind::kWord, begin, std::string(text_.substr(begin, at_ - begin)));
  }

  void number_token() {
    const std::size_t begin = at_;
    while (is_digit(peek())) ++at_;
    if (peek() == '.' && is_digit(peek(1))) {
      ++at_;
      while (is_digit(peek())) ++at_;
    }
    const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
    if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
      at_ += 1 + sign;
      while (is_digit(peek())) ++at_;
    }
    push(TokenKind::kNumber, begin, std::string(text_.substr(begin, at_ - begin)));
  }

  void string_token() {
    const std::size_t begin = at_;
    if (std::optional<std::string> text = read_quoted(text_, at_)) {
      return push(TokenKind::kString, begin, *std::move(text));
    }
    at_ = std::min(text_.find('\n', begin), text_.size());
    push(TokenKind::kUnknown, begin, "\"");
  }

  std::string_view text_;
  FileId file_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> lex(std::string_view text, FileId file) {
  return Lexer(text, file).run();
}

}  // namespace dlg::loop
