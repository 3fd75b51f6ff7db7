// Owns the tests of the printed syntax tree.
#include "frontend/text/print_ast.h"

#include "frontend/text/print_expression.h"
#include "tests/catch.h"
#include "tests/unit/frontend/parser_examples.h"
#include "tests/unit/frontend/parsing.h"

namespace dlg::test {
namespace {

/// The lines without the blanks before their places.
std::string printed(const std::string& text) {
  const Parsed parsed = parse(text);
  std::string result;
  for (const char c : print_ast(parsed.file, parsed.sources)) {
    const bool is_aligning = c == ';' && result.size() > 2;
    while (is_aligning && result.back() == ' ') result.pop_back();
    result += is_aligning ? " ;" : std::string(1, c);
  }
  return result;
}

TEST_CASE("the tree shows blocks in the order of the text, with brackets and places") {
  CHECK(printed("dlg 1\ntrain {\n  stop = [1 steps]\n}\nuse f64\nconst k: [] = -2^2\n"
                "model net(x: f64[n, ...], u: int, act = relu) -> [n] {\n  require u > 0\n"
                "  a, b = chunk(x + 1\n    |> f, 2)\n  return a }\n") ==
        "dlg 1 ; t.dlg:1\n"
        "use f64 ; t.dlg:5\n"
        "train { ; t.dlg:2\n"
        "  stop = [1 steps] ; t.dlg:3\n"
        "} ; t.dlg:4\n"
        "const k: [] = -(2 ^ 2) ; t.dlg:6\n"
        "model net(x: f64[n, ...], u: int, act = relu) -> [n] { ; t.dlg:7\n"
        "  require u > 0 ; t.dlg:8\n"
        "  a, b = chunk((x + 1) |> f, 2) ; t.dlg:9\n"
        "  return a ; t.dlg:11\n"
        "} ; t.dlg:11\n");
}

TEST_CASE("optimizers and checks are printed") {
  CHECK(printed("dlg 1\noptimizer o(lr, b = 0.9) {\n  state v: [] = 0\n  v <- b * v + lr * grad(theta)\n}\n"
                "check \"a title\" {\n  expect net.h[0] ~ 0.5 +- 5e-6\n  expect a < 1\n}\n") ==
        "dlg 1 ; t.dlg:1\n"
        "optimizer o(lr, b = 0.9) { ; t.dlg:2\n"
        "  state v: [] = 0 ; t.dlg:3\n"
        "  v <- (b * v) + (lr * grad(theta)) ; t.dlg:4\n"
        "} ; t.dlg:5\n"
        "check \"a title\" { ; t.dlg:6\n"
        "  expect net.h[0] ~ 0.5 +- 5e-6 ; t.dlg:7\n"
        "  expect a < 1 ; t.dlg:8\n"
        "} ; t.dlg:9\n");
}

TEST_CASE("a function of whole parts is printed with both of its words") {
  CHECK(printed("dlg 1\nwhole fn f(y: [rows]) -> [] = sum(y)\n") ==
        "dlg 1 ; t.dlg:1\n"
        "whole fn f(y: [rows]) -> [] { ; t.dlg:2\n"
        "  return sum(y) ; t.dlg:2\n"
        "} ; t.dlg:2\n");
}

TEST_CASE("what did not parse is printed as an error") {
  CHECK(printed("dlg 1\ndim a = f(1 2)\n") == "dlg 1 ; t.dlg:1\ndim a = f(1) ; t.dlg:2\n");
}

}  // namespace
}  // namespace dlg::test
