// Owns the tests of the lexer: numbers, characters, strings, and texts that are none.
#include "frontend/text/lexer.h"

#include "frontend/text/number_literal.h"
#include "tests/catch.h"
#include "tests/unit/frontend/parsing.h"

namespace dlg::test {
namespace {

std::vector<TokenKind> kinds(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("t.dlg", text);
  std::vector<TokenKind> result;
  for (const Token& token : tokenize(sources, file, diagnostics).tokens) result.push_back(token.kind);
  return result;
}

Lines errors(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  const FileId file = sources.add("t.dlg", text);
  tokenize(sources, file, diagnostics);
  return messages(sources, diagnostics);
}

/// The replacement that the first error of `text` suggests.
std::string suggested(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  tokenize(sources, sources.add("t.dlg", text), diagnostics);
  if (diagnostics.all().empty() || !diagnostics.all()[0].suggestion) return "nothing";
  return diagnostics.all()[0].suggestion->replacement;
}

using K = TokenKind;

TEST_CASE("signs are read longest first") {
  CHECK(kinds("a<-1") == std::vector{K::kName, K::kAssign, K::kNumber, K::kEnd});
  CHECK(kinds("a< -1") == std::vector{K::kName, K::kLess, K::kMinus, K::kNumber, K::kEnd});
  CHECK(kinds("0..63") == std::vector{K::kNumber, K::kRange, K::kNumber, K::kEnd});
  CHECK(kinds("[...,a]") ==
        std::vector{K::kOpenBracket, K::kRest, K::kComma, K::kName, K::kCloseBracket, K::kEnd});
  CHECK(kinds("x|>f->~+-") ==
        std::vector{K::kName, K::kPipe, K::kName, K::kArrow, K::kTilde, K::kPlusMinus, K::kEnd});
}

TEST_CASE("every kind of line end is one newline, and a comment is none") {
  CHECK(kinds("a\r\nb\rc\nd # e") ==
        std::vector{K::kName, K::kNewline, K::kName, K::kNewline, K::kName, K::kNewline, K::kName, K::kEnd});
}

TEST_CASE("numbers stand for the nearest double") {
  CHECK(errors("0 00 1.5 1e3 1E-3 2.5e+3 4.9e-324 1.7976931348623157e308 0e-999 9007199254740992") ==
        Lines{});
  CHECK(errors("1e-310") == Lines{});
}

TEST_CASE("a number beyond the doubles is an error") {
  CHECK(errors("1e400") == Lines{"1:1 DLG0111 the number `1e400` is larger than any double (about 1.8e308)"});
  CHECK(errors("1e-400") ==
        Lines{"1:1 DLG0111 the number `1e-400` is not 0, but smaller than any double (about 4.9e-324)"});
  CHECK(number_fault("1" + std::string(400, '0')) == NumberFault::kTooLarge);
  CHECK(number_fault("0." + std::string(400, '0') + "1") == NumberFault::kTooSmall);
  CHECK(number_fault("99999999999999999999") == NumberFault::kInexactInteger);
  CHECK(number_fault("9007199254740993") == NumberFault::kInexactInteger);
  CHECK(number_fault("18446744073709551616") == NumberFault::kNone);
  CHECK(number_fault("100000000000000000000") == NumberFault::kNone);
}

TEST_CASE("what only looks like a number is an error that says what was meant") {
  CHECK(errors("0x1F") == Lines{"1:1 DLG0110 found `0x1F`, which is not a number"});
  CHECK(errors(".5.") == Lines{"1:1 DLG0110 found `.5.`, which is not a number"});
  CHECK(errors("1.2.3") == Lines{"1:1 DLG0110 found `1.2.3`, which is not a number"});
  CHECK(suggested("1_000") == "1000");
  CHECK(suggested(".5") == "0.5");
  CHECK(suggested("5.") == "5.0");
  CHECK(suggested("20epochs") == "20 epochs");
  CHECK(suggested("3x") == "3 * x");
  CHECK(suggested("1e") == "1 * e");
  CHECK(suggested("0x1F") == "nothing");
}

TEST_CASE("look-alikes of ASCII are errors with the ASCII text") {
  CHECK(errors("a \u2212 b") == Lines{"1:3 DLG0106 found a typographic minus sign (U+2212), expected `-`"});
  CHECK(errors("a\u00a0b") == Lines{"1:2 DLG0106 found a no-break space (U+00A0), expected a blank"});
  CHECK(errors("\u201cx\u201d") == Lines{"1:1 DLG0106 found a typographic quote, expected `\"`"});
  CHECK(suggested("\u201cx.csv\u201d") == "\"x.csv\"");
  CHECK(suggested("'x.csv'") == "\"x.csv\"");
  CHECK(suggested("\u03b8") == "theta");
  CHECK(suggested("x\u0430") == "xa");  // a Cyrillic a
  CHECK(suggested("\u00d7") == "*");
  CHECK(suggested("\uff08") == "(");
  CHECK(suggested("gr\u00f6\u00dfe") == "nothing");
  CHECK(errors("# \u2212 \u201c \u00a0 \u03b8") == Lines{});
  CHECK(errors("\"\u2212 \u03b8\"") == Lines{});
}

TEST_CASE("a look-alike is read as what it stands for") {
  CHECK(kinds("a \u2212 b") == std::vector{K::kName, K::kMinus, K::kName, K::kEnd});
  CHECK(kinds("\u201cx\u201d , 'y'") == std::vector{K::kString, K::kComma, K::kString, K::kEnd});
  CHECK(kinds("2 ** 3") == std::vector{K::kNumber, K::kCaret, K::kNumber, K::kEnd});
  CHECK(kinds("a // b\nc") == std::vector{K::kName, K::kNewline, K::kName, K::kEnd});
}

TEST_CASE("invisible characters are refused, in comments and strings too") {
  CHECK(errors("# \u202e") == Lines{"1:3 DLG0105 found the invisible character U+202E"});
  CHECK(errors("\"a\u200bb\"") == Lines{"1:3 DLG0105 found the invisible character U+200B"});
  CHECK(errors("a\u200db") == Lines{"1:2 DLG0105 found the invisible character U+200D"});
  CHECK(suggested("a\u00adb").empty());
}

TEST_CASE("a byte order mark at the start is skipped, elsewhere it is invisible") {
  CHECK(kinds("\ufeffdlg") == std::vector{K::kName, K::kEnd});
  CHECK(errors("a\ufeff") == Lines{"1:2 DLG0105 found the invisible character U+FEFF"});
}

TEST_CASE("a text that is not UTF-8 has no tokens and one error") {
  const Lines utf16{"1:1 DLG0103 the file looks like UTF-16, expected UTF-8"};
  CHECK(errors("\xff\xfe" + std::string("d\0l\0", 4)) == utf16);
  CHECK(errors("\xfe\xff" + std::string("\0d\0l", 4)) == utf16);
  CHECK(errors(std::string("d\0l\0g\0", 6)) == utf16);
  CHECK(errors(std::string("abc\0def", 7)) ==
        Lines{"1:4 DLG0103 byte 3 of the file is a NUL byte, expected text"});
  CHECK(errors("ab\xc0\xaf") == Lines{"1:3 DLG0103 byte 2 of the file is not UTF-8"});
  CHECK(errors("\xed\xa0\x80") == Lines{"1:1 DLG0103 byte 0 of the file is not UTF-8"});
  CHECK(errors("# caf\xe9") == Lines{"1:6 DLG0103 byte 5 of the file is not UTF-8"});
  CHECK(kinds("a b\xff") == std::vector{K::kEnd});
}

TEST_CASE("a string ends on its line") {
  CHECK(errors("x = \"abc\ny = 1") == Lines{"1:5 DLG0108 this string has no closing quote on its line"});
  CHECK(kinds("\"abc\ny") == std::vector{K::kBad, K::kNewline, K::kName, K::kEnd});
}

TEST_CASE("a name has at most 255 characters") {
  CHECK(errors(std::string(255, 'a')) == Lines{});
  CHECK(errors(std::string(256, 'a')) ==
        Lines{"1:1 DLG0109 found a name of 256 characters, expected at most 255"});
  CHECK(errors(std::string(10'000'000, 'a')).size() == 1);
}

TEST_CASE("signs of other languages are named") {
  CHECK(errors("a % b") == Lines{"1:3 DLG0107 found `%`, which is not part of the language"});
  CHECK(errors("a \x01 b") ==
        Lines{"1:3 DLG0107 found the control character U+0001, which is not part of the language"});
  CHECK(suggested("2 ** 3") == "^");
  CHECK(suggested("x := 3") == "=");
  CHECK(suggested("x = 3;").empty());
}

}  // namespace
}  // namespace dlg::test
