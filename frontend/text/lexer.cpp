#include "frontend/text/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/text/characters.h"
#include "frontend/text/number_literal.h"
#include "support/unicode.h"

namespace dlg {
namespace {

constexpr Diag<> kLooksLikeUtf16{DiagCode::NotUtf8, Severity::kError,
                                 "the file looks like UTF-16, expected UTF-8"};
constexpr Diag<std::size_t> kInvalidUtf8{DiagCode::NotUtf8, Severity::kError,
                                         "byte {} of the file is not UTF-8"};
constexpr Diag<std::size_t> kNulByte{DiagCode::NotUtf8, Severity::kError,
                                     "byte {} of the file is a NUL byte, expected text"};
constexpr Diag<std::uint32_t> kInvisible{DiagCode::InvisibleCharacter, Severity::kError,
                                         "found the invisible character U+{:04X}"};
constexpr Diag<std::string_view, std::uint32_t, std::string> kLookAlike{
    DiagCode::LookAlikeCharacter, Severity::kError, "found {} (U+{:04X}), expected {}"};
constexpr Diag<std::string_view> kForeignQuote{DiagCode::LookAlikeCharacter, Severity::kError,
                                               "found {}, expected `\"`"};
constexpr Diag<std::string> kForeignName{DiagCode::LookAlikeCharacter, Severity::kError,
                                         "found the name `{}`, expected ASCII letters, digits and `_`"};
constexpr Diag<std::string> kUnexpectedCharacter{DiagCode::UnexpectedCharacter, Severity::kError,
                                                 "found {}, which is not part of the language"};
constexpr Diag<std::string_view, std::string_view> kForeignOperator{
    DiagCode::UnexpectedCharacter, Severity::kError, "found `{}`, which is written `{}` here"};
constexpr Diag<> kUnterminatedString{DiagCode::UnterminatedString, Severity::kError,
                                     "this string has no closing quote on its line"};
constexpr Diag<std::size_t, std::size_t> kNameTooLong{DiagCode::NameTooLong, Severity::kError,
                                                      "found a name of {} characters, expected at most {}"};
constexpr Diag<std::size_t, std::size_t> kStringTooLong{DiagCode::StringTooLong, Severity::kError,
                                                        "found a string of {} bytes, expected at most {}"};
constexpr Diag<std::string> kMalformedNumber{DiagCode::MalformedNumber, Severity::kError,
                                             "found `{}`, which is not a number"};
constexpr Diag<std::string, std::string_view> kNumberOutOfRange{DiagCode::NumberOutOfRange, Severity::kError,
                                                                "the number `{}` {}"};
constexpr Diag<std::size_t> kTooManyTokens{DiagCode::FileTooLarge, Severity::kError,
                                           "the file has more than {} words and signs"};

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxString = 4096;
constexpr std::size_t kMaxTokens = 4'000'000;
constexpr std::size_t kShownText = 40;

struct Sign {
  std::string_view text;
  TokenKind kind;
};

/// The longest first.
constexpr std::array kSigns = {Sign{"...", TokenKind::kRest},      Sign{"..", TokenKind::kRange},
                               Sign{"->", TokenKind::kArrow},      Sign{"<-", TokenKind::kAssign},
                               Sign{"+-", TokenKind::kPlusMinus},  Sign{"|>", TokenKind::kPipe},
                               Sign{"<=", TokenKind::kLessEqual},  Sign{">=", TokenKind::kGreaterEqual},
                               Sign{"==", TokenKind::kEqualEqual}, Sign{"!=", TokenKind::kNotEqual},
                               Sign{"(", TokenKind::kOpenParen},   Sign{")", TokenKind::kCloseParen},
                               Sign{"[", TokenKind::kOpenBracket}, Sign{"]", TokenKind::kCloseBracket},
                               Sign{"{", TokenKind::kOpenBrace},   Sign{"}", TokenKind::kCloseBrace},
                               Sign{",", TokenKind::kComma},       Sign{":", TokenKind::kColon},
                               Sign{".", TokenKind::kDot},         Sign{"=", TokenKind::kEquals},
                               Sign{"~", TokenKind::kTilde},       Sign{"+", TokenKind::kPlus},
                               Sign{"-", TokenKind::kMinus},       Sign{"*", TokenKind::kStar},
                               Sign{"/", TokenKind::kSlash},       Sign{"@", TokenKind::kAt},
                               Sign{"^", TokenKind::kCaret},       Sign{"<", TokenKind::kLess},
                               Sign{">", TokenKind::kGreater}};

struct ForeignOperator {
  std::string_view text;
  std::string_view meant;
};

/// What other languages write; `//` begins a comment there.
constexpr std::array kForeignOperators = {ForeignOperator{"**", "^"}, ForeignOperator{"//", "#"},
                                          ForeignOperator{":=", "="}};

const Sign* find_sign(std::string_view text) {
  const auto* found = std::find_if(kSigns.begin(), kSigns.end(),
                                   [&](const Sign& s) { return text.substr(0, s.text.size()) == s.text; });
  return found == kSigns.end() ? nullptr : found;
}

std::string_view fault_text(NumberFault fault) {
  switch (fault) {
    case NumberFault::kNone:
      return "";
    case NumberFault::kTooLarge:
      return "is larger than any double (about 1.8e308)";
    case NumberFault::kTooSmall:
      return "is not 0, but smaller than any double (about 4.9e-324)";
    case NumberFault::kInexactInteger:
      return "is an integer that no double holds exactly";
  }
  return "";
}

/// For messages: cut where it is long.
std::string shown(std::string_view text) {
  if (text.size() <= kShownText) return std::string(text);
  std::size_t end = kShownText;
  while (is_continuation_byte(text[end])) --end;
  return fmt::format("{}...", text.substr(0, end));
}

class Lexer {
 public:
  Lexer(const Sources& sources, FileId file, Diagnostics& diagnostics)
      : file_(file), text_(sources.text(file)), diagnostics_(diagnostics) {
    result_.file = file;
  }

  TokenList run() {
    if (is_text()) {
      if (text_.substr(0, 3) == "\xef\xbb\xbf") at_ = 3;
      while (at_ < text_.size() && result_.tokens.size() < kMaxTokens) scan();
    }
    if (at_ < text_.size()) refuse_the_rest();
    add(TokenKind::kEnd, at_);
    return std::move(result_);
  }

 private:
  bool is_text() {
    const std::string_view mark = text_.substr(0, 2);
    if (mark == "\xff\xfe" || mark == "\xfe\xff") return refuse(0, kLooksLikeUtf16, "save the file as UTF-8");
    const std::size_t nul = text_.find('\0');
    if (nul <= 1 && text_.size() >= 2) return refuse(0, kLooksLikeUtf16, "save the file as UTF-8");
    if (nul != std::string_view::npos) {
      diagnostics_.report(bytes(nul, nul + 1), kNulByte, nul);
      return false;
    }
    const std::optional<std::size_t> invalid = find_invalid_utf8(text_);
    if (invalid) {
      diagnostics_.report(bytes(*invalid, *invalid + 1), kInvalidUtf8, *invalid)
          .note("save the file as UTF-8; Latin-1 and other encodings are not read");
    }
    return !invalid;
  }

  bool refuse(std::size_t offset, const Diag<>& diag, std::string note) {
    diagnostics_.report(bytes(offset, offset), diag).note(std::move(note));
    return false;
  }

  /// A text that is read in part only is not read at all.
  void refuse_the_rest() {
    if (result_.tokens.empty()) return;
    diagnostics_.report(bytes(at_, at_), kTooManyTokens, kMaxTokens)
        .note("put large tables into a data file");
    result_.tokens.clear();
  }

  void scan() {
    const char c = text_[at_];
    if (c == ' ' || c == '\t') {
      ++at_;
    } else if (c == '\n' || c == '\r') {
      add(TokenKind::kNewline, at_ + (text_.substr(at_, 2) == "\r\n" ? 2 : 1));
    } else if (c == '#') {
      scan_comment();
    } else if (begins_number()) {
      scan_number_token();
    } else if (is_name_start(c)) {
      scan_name();
    } else if (c == '"') {
      scan_string("\"", 1);
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      scan_foreign();
    } else {
      scan_sign();
    }
  }

  /// A digit, or a point before a digit that does not follow a value (`.5`, but not `x.5`).
  bool begins_number() const {
    if (is_digit(text_[at_])) return true;
    if (text_[at_] != '.' || at_ + 1 >= text_.size() || !is_digit(text_[at_ + 1])) return false;
    const char before = at_ == 0 ? ' ' : text_[at_ - 1];
    return !is_name_part(before) && before != ')' && before != ']' && before != '.';
  }

  void scan_comment() {
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') step_over_hidden_text();
  }

  /// One character of a comment or string, where everything visible is allowed.
  void step_over_hidden_text() {
    const CodePoint point = decode_utf8(text_, at_).value_or(CodePoint{});
    if (is_invisible(point.value)) report_invisible(point);
    at_ += point.length;
  }

  void report_invisible(CodePoint point) {
    const SourceRange range = bytes(at_, at_ + point.length);
    diagnostics_.report(range, kInvisible, static_cast<std::uint32_t>(point.value))
        .note("with it, a text can look different from what is compiled")
        .suggest(range, "", "delete it");
  }

  void scan_number_token() {
    const std::size_t begin = at_;
    const NumberScan scan = scan_number(text_.substr(begin));
    const std::string_view text = text_.substr(begin, scan.length);
    const SourceRange range = bytes(begin, begin + scan.length);
    add(scan.is_number ? TokenKind::kNumber : TokenKind::kBad, begin + scan.length);
    if (!scan.is_number) {
      Report report = diagnostics_.report(range, kMalformedNumber, shown(text));
      report.note(std::string(scan.reason));
      if (scan.meant) report.suggest(range, *scan.meant, fmt::format("write `{}`", *scan.meant));
      return;
    }
    const NumberFault fault = number_fault(text);
    if (fault == NumberFault::kNone) return;
    diagnostics_.report(range, kNumberOutOfRange, shown(text), fault_text(fault));
    result_.mended[static_cast<std::uint32_t>(begin)] = "1";
  }

  /// How a name is written, and what is meant by it.
  struct NameScan {
    std::string meant;
    bool is_ascii = true;
    bool is_known = true;  // every letter that is no ASCII is a known look-alike
  };

  void scan_name() {
    const std::size_t begin = at_;
    NameScan name;
    while (at_ < text_.size() && scan_letter(name)) {
    }
    const std::size_t end = at_;
    at_ = begin;
    add(TokenKind::kName, end);
    if (name.meant.size() != end - begin) result_.mended[static_cast<std::uint32_t>(begin)] = name.meant;
    if (!name.is_ascii) report_foreign_name(bytes(begin, end), name);
    check_name_length(bytes(begin, end));
  }

  /// False at a character that ends the name. An invisible one is reported and left out.
  bool scan_letter(NameScan& name) {
    const CodePoint point = decode_utf8(text_, at_).value_or(CodePoint{});
    const std::optional<LookAlike> alike = find_look_alike(point.value);
    const bool is_letter =
        point.length > 1 ? !alike || alike->kind == LookAlikeKind::kLetter : is_name_part(text_[at_]);
    if (!is_letter) return false;
    if (is_invisible(point.value)) {
      report_invisible(point);
    } else if (point.length == 1) {
      name.meant += text_[at_];
    } else {
      name.is_ascii = false;
      name.is_known = name.is_known && alike;
      name.meant += alike ? alike->replacement : text_.substr(at_, point.length);
    }
    at_ += point.length;
    return true;
  }

  void report_foreign_name(SourceRange range, const NameScan& name) {
    const std::string_view text = text_.substr(range.begin, range.end - range.begin);
    Report report = diagnostics_.report(range, kForeignName, shown(text));
    if (name.is_known) report.suggest(range, name.meant, fmt::format("write `{}`", name.meant));
  }

  void check_name_length(SourceRange range) {
    const std::size_t length = range.end - range.begin;
    if (length > kMaxName) diagnostics_.report(range, kNameTooLong, length, kMaxName);
  }

  void check_string_length(std::size_t begin, std::size_t length) {
    if (length > kMaxString) diagnostics_.report(bytes(begin, begin + 1), kStringTooLong, length, kMaxString);
  }

  void scan_string(std::string_view closing, std::size_t quote_length) {
    const std::size_t begin = at_;
    at_ += quote_length;
    while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') {
      if (text_.substr(at_, closing.size()) == closing) break;
      step_over_hidden_text();
    }
    const bool is_closed = at_ < text_.size() && text_.substr(at_, closing.size()) == closing;
    const std::size_t end = is_closed ? at_ + closing.size() : at_;
    at_ = begin;
    if (!is_closed) diagnostics_.report(bytes(begin, begin + quote_length), kUnterminatedString);
    const std::size_t inner_end = is_closed ? end - closing.size() : end;
    result_.mended[static_cast<std::uint32_t>(begin)] =
        text_.substr(begin + quote_length, inner_end - begin - quote_length);
    check_string_length(begin, end - begin);
    add(is_closed ? TokenKind::kString : TokenKind::kBad, end);
  }

  void scan_sign() {
    const std::string_view rest = text_.substr(at_);
    if (rest.front() == '\'') return scan_foreign_string("'", "single quotes", 1);
    for (const ForeignOperator& foreign : kForeignOperators) {
      if (rest.substr(0, foreign.text.size()) == foreign.text) return scan_foreign_operator(foreign);
    }
    const Sign* sign = find_sign(rest);
    if (sign != nullptr) return add(sign->kind, at_ + sign->text.size());
    report_unexpected(CodePoint{static_cast<char32_t>(rest.front()), 1});
  }

  void report_unexpected(CodePoint point) {
    const std::string_view character = text_.substr(at_, point.length);
    const std::string found =
        point.value < 0x20 || point.value == 0x7f
            ? fmt::format("the control character U+{:04X}", static_cast<unsigned>(point.value))
            : fmt::format("`{}`", character);
    Report report = diagnostics_.report(bytes(at_, at_ + point.length), kUnexpectedCharacter, found);
    if (character == ";")
      report.note("a newline ends a statement").suggest(bytes(at_, at_ + 1), "", "delete it");
    add(character == ";" ? TokenKind::kNewline : TokenKind::kBad, at_ + point.length);
  }

  void scan_foreign_operator(const ForeignOperator& foreign) {
    const SourceRange range = bytes(at_, at_ + foreign.text.size());
    diagnostics_.report(range, kForeignOperator, foreign.text, foreign.meant)
        .suggest(range, std::string(foreign.meant), fmt::format("write `{}`", foreign.meant));
    const Sign* sign = find_sign(foreign.meant);
    if (sign == nullptr) return scan_comment();
    add(sign->kind, at_ + foreign.text.size());
  }

  void scan_foreign() {
    const CodePoint point = decode_utf8(text_, at_).value_or(CodePoint{});
    const std::optional<LookAlike> alike = find_look_alike(point.value);
    if (is_invisible(point.value)) {
      report_invisible(point);
      at_ += point.length;
    } else if (!alike || alike->kind == LookAlikeKind::kLetter) {
      scan_name();
    } else if (alike->kind == LookAlikeKind::kQuote) {
      scan_foreign_string(closing_quote(point), alike->name, point.length);
    } else {
      scan_look_alike(*alike, point.length);
    }
  }

  /// The quote that ends what the typographic quote at the cursor opens; in doubt the ASCII quote.
  std::string_view closing_quote(CodePoint opening) const {
    constexpr std::array<std::string_view, 5> kClosing = {"\u201d", "\u2019", "\u201c", "\"", "\u2018"};
    const std::size_t line_end = std::min(text_.find_first_of("\r\n", at_), text_.size());
    const std::string_view rest = text_.substr(at_ + opening.length, line_end - at_ - opening.length);
    std::string_view nearest = "\"";
    std::size_t best = std::string_view::npos;
    for (const std::string_view quote : kClosing) {
      const std::size_t found = rest.find(quote);
      if (found < best) {
        best = found;
        nearest = quote;
      }
    }
    return nearest;
  }

  void scan_foreign_string(std::string_view closing, std::string_view name, std::size_t quote_length) {
    const std::size_t begin = at_;
    scan_string(closing, quote_length);
    const std::string content = result_.mended[static_cast<std::uint32_t>(begin)];
    const std::string meant = fmt::format("\"{}\"", content);
    diagnostics_.report(bytes(begin, begin + quote_length), kForeignQuote, name)
        .suggest(bytes(begin, at_), meant, fmt::format("write `{}`", shown(meant)));
  }

  void scan_look_alike(const LookAlike& alike, std::size_t length) {
    const SourceRange range = bytes(at_, at_ + length);
    const bool is_blank = alike.kind == LookAlikeKind::kBlank;
    const std::string expected = is_blank ? "a blank" : fmt::format("`{}`", alike.replacement);
    diagnostics_.report(range, kLookAlike, alike.name, static_cast<std::uint32_t>(alike.character), expected)
        .suggest(range, std::string(alike.replacement), fmt::format("write {}", expected));
    if (is_blank) {
      at_ += length;
      return;
    }
    const Sign* sign = find_sign(alike.replacement);
    const bool is_one_sign = sign != nullptr && sign->text == alike.replacement;
    add(is_one_sign ? sign->kind : TokenKind::kBad, at_ + length);
  }

  void add(TokenKind kind, std::size_t end) {
    result_.tokens.push_back({kind, static_cast<std::uint32_t>(at_), static_cast<std::uint32_t>(end)});
    at_ = end;
  }

  SourceRange bytes(std::size_t begin, std::size_t end) const {
    return {file_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  FileId file_;
  std::string_view text_;
  Diagnostics& diagnostics_;
  TokenList result_;
  std::size_t at_ = 0;
};

}  // namespace

TokenList tokenize(const Sources& sources, FileId file, Diagnostics& diagnostics) {
  return Lexer(sources, file, diagnostics).run();
}

std::string describe(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEnd:
      return "the end of the file";
    case TokenKind::kNewline:
      return "the end of the line";
    case TokenKind::kBad:
      return "a sign that is not part of the language";
    case TokenKind::kName:
      return "a name";
    case TokenKind::kNumber:
      return "a number";
    case TokenKind::kString:
      return "a string";
    default:
      break;
  }
  const auto* sign =
      std::find_if(kSigns.begin(), kSigns.end(), [&](const Sign& s) { return s.kind == kind; });
  return fmt::format("`{}`", sign->text);
}

}  // namespace dlg
