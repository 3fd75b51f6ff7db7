// Owns the tests of syntax errors in blocks and statements, and of going on after them.
#include "tests/catch.h"
#include "tests/unit/frontend/parsing.h"

namespace dlg::test {
namespace {

/// The errors of `text`, which stands behind the line `dlg 1`: its first line is line 2.
Lines errors(const std::string& text) {
  return messages(parse_lines(text));
}

TEST_CASE("the first line is the version") {
  CHECK(messages(parse("dlg 1")) == Lines{});
  CHECK(messages(parse("\ufeffdlg 1 # comment\r\n")) == Lines{});
  CHECK(messages(parse("")) == Lines{"1:1 DLG0101 the first line is not `dlg 1`"});
  CHECK(messages(parse("dim n = 2\n")) == Lines{"1:1 DLG0101 the first line is not `dlg 1`"});
  CHECK(messages(parse("# c\ndlg 1\ndim n = 2\n")) == Lines{"1:1 DLG0101 the first line is not `dlg 1`"});
  CHECK(messages(parse("dlg 2\n= = =\n")) ==
        Lines{"1:5 DLG0102 found version 2 of the language, expected 1"});
  CHECK(messages(parse("dlg\ndim n = 2\n")) ==
        Lines{"1:4 DLG0112 found the end of the line, expected the version of the language, `1`"});
}

TEST_CASE("each line with an error is reported, and the lines between are kept") {
  const Parsed parsed = parse_lines(
      "model m(x: [n]) {\n  a = * 2\n  b = 3\n  c = f(1 2)\n  d = \n  return b\n}\ndim k = )\ndim n = 4\n");
  CHECK(messages(parsed) == Lines{"3:7 DLG0112 found `*`, expected an expression",
                                  "5:11 DLG0112 found `2`, expected `,` or `)`",
                                  "6:6 DLG0112 found the end of the line, expected an expression",
                                  "9:9 DLG0112 found `)`, expected an expression"});
  REQUIRE(parsed.file.functions.size() == 1);
  CHECK(parsed.file.functions[0].body.size() == 5);
  CHECK(parsed.file.definitions.size() == 2);
}

TEST_CASE("after an error inside brackets the whole of them is skipped") {
  CHECK(errors("dim a = f(1 2,\n  3,\n  4)\ndim b = 2\n") ==
        Lines{"2:13 DLG0112 found `2`, expected `,` or `)`"});
}

TEST_CASE("an unclosed bracket is reported where it opens, and the next lines are read") {
  CHECK(errors("dim a = f(1,\ndim b = 2 +\n") ==
        Lines{"2:10 DLG0113 `(` is never closed",
              "3:12 DLG0112 found the end of the file, expected an expression"});
  CHECK(errors("dim a = [[1, 2], [3, 4]\ndim b = *\n") ==
        Lines{"2:9 DLG0113 `[` is never closed", "3:9 DLG0112 found `*`, expected an expression"});
}

TEST_CASE("an unclosed block ends where the next block begins") {
  const Parsed parsed = parse_lines("model m() {\n  a = 1\ntrain {\n  stop = *\n}\ncheck \"c\" {\n");
  CHECK(messages(parsed) == Lines{"2:11 DLG0113 `{` is never closed",
                                  "5:10 DLG0112 found `*`, expected an expression",
                                  "7:11 DLG0113 `{` is never closed"});
  CHECK(parsed.file.trains.size() == 1);
}

TEST_CASE("a brace too many is one error") {
  CHECK(errors("model m() {\n  a = 1\n}\n}\ndim n = 2\n") == Lines{"5:1 DLG0112 this `}` closes nothing"});
}

TEST_CASE("the body of a block is read although its head is wrong") {
  CHECK(errors("model m(x: [n) -> [n] {\n  a = *\n}\n") ==
        Lines{"2:12 DLG0113 `[` is never closed", "3:7 DLG0112 found `*`, expected an expression"});
  CHECK(errors("optimizer {\n  state = 2\n}\n") ==
        Lines{"2:11 DLG0112 found `{`, expected a name", "3:9 DLG0112 found `=`, expected a name"});
}

TEST_CASE("an unknown word at the top level") {
  CHECK(errors("modle m() {\n  a = *\n}\n") ==
        Lines{"2:1 DLG0120 found `modle` at the top level, expected a block",
              "3:7 DLG0112 found `*`, expected an expression"});
  CHECK(errors("y = 3\nparam W: [] = 0\n3\n") ==
        Lines{"2:1 DLG0120 found `y` at the top level, expected a block",
              "3:1 DLG0120 found `param` at the top level, expected it in the braces of a block",
              "4:1 DLG0112 found `3`, expected a block"});
  const Parsed parsed = parse_lines("y = 3\n");
  CHECK(parsed.diagnostics.all()[0].suggestion->replacement == "const y");
}

TEST_CASE("what later versions bring is named at its word and skipped") {
  CHECK(errors(
            "fn f(xs: [t, n]) {\n  state s: [n] = 0\n"
            "  share e = dense(3)\n  return scan x in xs with h: [n] = 0 {\n    h <- x\n    yield h\n  }\n}\n"
            "dim n = 2\n") == Lines{"5:10 DLG0119 `scan` is not available in this version"});
}

TEST_CASE("imports and races: what their lines lack") {
  CHECK(errors("import\nimport a.dlg\nimport \"a.dlg\"\nrace \"r\" {\n  start = [1]\n}\nrace {\n}\n") ==
        Lines{"2:7 DLG0112 found the end of the line, expected a path in quotes",
              "3:8 DLG0112 found `a`, expected a path in quotes",
              "8:6 DLG0112 found `{`, expected a title in quotes"});
}

TEST_CASE("statements in the wrong block") {
  CHECK(errors("optimizer o(lr) {\n  param W: [] = 0\n  return lr\n  a, b <- lr\n}\n") ==
        Lines{"3:3 DLG0121 found `param` in an optimizer, expected `state` or `name = value`",
              "4:3 DLG0121 found `return` in an optimizer, expected an update such as `theta <- ...`",
              "5:8 DLG0121 found several names before `<-`, expected one"});
  CHECK(errors("fn f(x: [n]) {\n  y <- x\n  model g() = 3\n  return y\n}\n") ==
        Lines{"4:3 DLG0121 found the block `model` inside another block"});
}

TEST_CASE("statements name what they miss") {
  CHECK(
      errors(
          "fn f() {\n  param W = 3\n  param b: 3 = 1\n  const c: []\n  x: [n] = 2\n  f(x)\n  return\n}\n") ==
      Lines{"3:11 DLG0112 found `=`, expected `:` and a type such as `[n]` or `[]`",
            "4:12 DLG0112 found `3`, expected axes in `[` and `]`",
            "5:14 DLG0112 found the end of the line, expected `=` and an initial value",
            "6:4 DLG0112 found `:`, expected `=` and a value",
            "7:4 DLG0112 found `(`, expected `=` and a value",
            "8:9 DLG0112 found the end of the line, expected an expression"});
  CHECK(errors("check {\n}\ncheck \"c\" {\n  net.h ~ 1\n  expect a\n  expect a <- 1\n}\n") ==
        Lines{"2:7 DLG0112 found `{`, expected a title in quotes",
              "5:3 DLG0112 found `net`, expected `expect`",
              "6:11 DLG0112 found the end of the line, expected `~`, `<` or `>` and a value",
              "7:12 DLG0112 found `<-`, expected `~`, `<` or `>` and a value"});
}

TEST_CASE("one statement a line") {
  CHECK(errors("dim a = 2 dim b = 3\n") == Lines{"2:15 DLG0112 found `b`, expected the end of the line"});
  CHECK(errors("dim a = 2; dim b = 3\n") ==
        Lines{"2:10 DLG0107 found `;`, which is not part of the language"});
}

TEST_CASE("a decimal comma is told from a list") {
  CHECK(errors("dim a = 1,5\n") ==
        Lines{"2:10 DLG0117 found `,` after a number, expected the end of the line"});
  CHECK(parse_lines("dim a = 1,5\n").diagnostics.all()[0].suggestion->replacement == "1.5");
  CHECK(errors("dim a = f(1,5)\n") == Lines{});
  CHECK(errors("dim a = 1, b\n") == Lines{"2:10 DLG0112 found `,`, expected the end of the line"});
}

TEST_CASE("a string without its end is one error, although it swallows brackets") {
  CHECK(errors("data d {\n  file = csv([\"a.csv)\n  x = *\n}\n") ==
        Lines{"3:15 DLG0108 this string has no closing quote on its line",
              "4:7 DLG0112 found `*`, expected an expression"});
}

TEST_CASE("an invisible character in a name is one error") {
  CHECK(errors("dim a\u200bb = 2\ndim c = ab\n") ==
        Lines{"2:6 DLG0105 found the invisible character U+200B"});
}

TEST_CASE("use is written once") {
  CHECK(errors("use f64\nuse f32\n") == Lines{"3:1 DLG0122 `use` is written twice"});
}

TEST_CASE("a name may go on after a comma, a body may be written on one line, a brace may stand alone") {
  CHECK(errors("fn f(x: [n]) -> []\n{\n  a, b,\n    c = chunk(x, 3)\n  return a }\nfn g() { return 1 }\n") ==
        Lines{});
}

TEST_CASE("a hundred thousand errors are collected in no time") {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "dim a = *\n";
  CHECK(errors(text).size() == 100'000);
}

}  // namespace
}  // namespace dlg::test
