// Owns the tests of expressions: how operators bind, where lines go on.
#include "frontend/text/print_expression.h"
#include "tests/catch.h"
#include "tests/unit/frontend/parsing.h"

namespace dlg::test {
namespace {

/// The expression with brackets as it was read, or its errors.
std::string read(const std::string& text) {
  Sources sources;
  Diagnostics diagnostics;
  ast::File file;
  const FileId id = sources.add("--set x=1", text);
  file.file = id;
  const ast::ExprId expr = parse_expression(sources, id, diagnostics, file);
  if (!diagnostics.has_errors()) return expression_text(file, expr);
  std::string all;
  for (const std::string& line : messages(sources, diagnostics)) all += line + "\n";
  return all;
}

TEST_CASE("power binds tighter than a minus on its left and takes a signed right side") {
  CHECK(read("-x^2") == "-(x ^ 2)");
  CHECK(read("2^-x^2") == "2 ^ (-(x ^ 2))");
  CHECK(read("a^b^c") == "a ^ (b ^ c)");
  CHECK(read("a * -b") == "a * (-b)");
  CHECK(read("-a * b") == "(-a) * b");
  CHECK(read("(-x)^2") == "(-x) ^ 2");
  CHECK(read("grad(theta)^2") == "grad(theta) ^ 2");
}

TEST_CASE("products are one level and group to the left") {
  CHECK(read("a @ b * c / d") == "((a @ b) * c) / d");
  CHECK(read("a + b * c - d") == "(a + (b * c)) - d");
}

TEST_CASE("ranges, comparisons, as and pipes bind ever looser") {
  CHECK(read("0..2 * n - 1") == "0..((2 * n) - 1)");
  CHECK(read("a + 1 < b * 2") == "(a + 1) < (b * 2)");
  CHECK(read("image / 255 as [pixel]") == "(image / 255) as [pixel]");
  CHECK(read("x as [chan: 1, row:, ...] |> f |> g(2)") == "((x as [chan: 1, row:, ...]) |> f) |> g(2)");
  CHECK(read("a - b |> f") == "(a - b) |> f");
}

TEST_CASE("calls, indices and members follow one another") {
  CHECK(read("net.h[0]") == "net.h[0]");
  CHECK(read("after(1 steps, net.W2)[0, 0]") == "after(1 steps, net.W2)[0, 0]");
  CHECK(read("x[1..3, k]") == "x[1..3, k]");
  CHECK(read("f(2)(3).a") == "f(2)(3).a");
  CHECK(read("f(x, lr = 1e-3,)") == "f(x, lr = 1e-3)");
}

TEST_CASE("a number and a name are a quantity, but as is no unit") {
  CHECK(read("[20 epochs, 2 min]") == "[20 epochs, 2 min]");
  CHECK(read("64 as [a]") == "64 as [a]");
}

TEST_CASE("lists nest and may end in a comma") {
  CHECK(read("[[1, 2], [3, 4],]") == "[[1, 2], [3, 4]]");
  CHECK(read("[]") == "[]");
}

TEST_CASE("a line goes on inside brackets, after an operator or comma, and before a pipe") {
  CHECK(read("f(\n a\n , b\n)") == "f(a, b)");
  CHECK(read("a +\n  # comment\n\n b") == "a + b");
  CHECK(read("x\n  # comment\n\n  |> f") == "x |> f");
  CHECK(read("x |>\n f") == "x |> f");
  CHECK(read("a ^\n2") == "a ^ 2");
  CHECK(read("[1,\n 2]") == "[1, 2]");
}

TEST_CASE("a bracket on a new line belongs to no value before it") {
  CHECK(read("[[1, 2]\n [3, 4]]") == "2:2 DLG0112 found `[`, expected `,` or `]`\n");
}

TEST_CASE("comparisons and ranges do not chain") {
  CHECK(read("a < b < c") == "1:7 DLG0115 `<` does not chain: its left side is a comparison or a range\n");
  CHECK(read("1..2..3") == "1:5 DLG0115 `..` does not chain: its left side is a comparison or a range\n");
  CHECK(read("(a < b) < c") == "(a < b) < c");
}

TEST_CASE("joined signs are told apart") {
  CHECK(read("a <-1") == "1:3 DLG0116 found `<-` inside an expression, where it has no meaning\n");
  CHECK(read("f(a +-1)") == "1:5 DLG0116 found `+-` inside an expression, where it has no meaning\n");
}

TEST_CASE("at the right of a pipe stands a name or a call") {
  CHECK(read("x |> 3") ==
        "1:6 DLG0118 found another expression at the right of `|>`, expected a name or a call\n");
  CHECK(read("x |> net.f") ==
        "1:6 DLG0118 found another expression at the right of `|>`, expected a name or a call\n");
}

TEST_CASE("a missing operand is found where it is missing") {
  CHECK(read("a +") == "1:4 DLG0112 found the end of the file, expected an expression\n");
  CHECK(read("f(, 2)") == "1:3 DLG0112 found `,`, expected an expression\n");
  CHECK(read("x[]") == "1:3 DLG0112 found `]`, expected an index\n");
  CHECK(read("x.5") == "1:3 DLG0112 found `5`, expected a name after `.`\n");
  CHECK(read("") == "1:1 DLG0112 found the end of the file, expected an expression\n");
  CHECK(read("a b") == "1:3 DLG0112 found `b`, expected the end of the expression\n");
}

TEST_CASE("scan is not available yet") {
  CHECK(read("scan x in xs") == "1:1 DLG0119 `scan` is not available in this version\n");
  CHECK(read("scan + 1") == "scan + 1");
}

TEST_CASE("nesting ends at 256 levels") {
  const auto nested = [](const std::string& open, int count, const std::string& close) {
    std::string text;
    for (int i = 0; i < count; ++i) text += open;
    text += "x";
    for (int i = 0; i < count; ++i) text += close;
    return read(text);
  };
  CHECK(nested("(", 256, ")") == "x");
  CHECK(nested("(", 257, ")") == "1:257 DLG0114 the expression is nested deeper than 256 levels\n");
  CHECK(nested("[", 100'000, "]") == "1:257 DLG0114 the expression is nested deeper than 256 levels\n");
  CHECK(nested("- ", 100'000, "") == "1:513 DLG0114 the expression is nested deeper than 256 levels\n");
  CHECK(nested("x^", 100'000, "") == "1:514 DLG0114 the expression is nested deeper than 256 levels\n");
  CHECK(nested("(", 100'000, "") == "1:1 DLG0113 `(` is never closed\n");
}

TEST_CASE("a chain of 500,000 terms is a deep tree, not a deep stack") {
  std::string sum = "x";
  std::string pipe = "x";
  for (int i = 0; i < 500'000; ++i) sum += "+x";
  for (int i = 0; i < 100'000; ++i) pipe += "|>f(1)[0].a(2)";
  CHECK(read(sum).find(" ...") != std::string::npos);
  CHECK(read(pipe).find(" ...") != std::string::npos);
}

}  // namespace
}  // namespace dlg::test
