// Owns the tests of the details that the language promises (decision 19 of its description), where they are
// made by the frontend and std. Those of single ops are in tests/ops/special_values_test.cpp, those of data
// and shuffling in tests/unit/runtime.
#include <cmath>

#include "tests/unit/frontend/compiled.h"

namespace dlg {
namespace {

std::string errors_of(const std::string& line, const std::string& head = "use f64\n") {
  return compile_text("dlg 1\n" + head + "check \"c\" {\n  expect " + line + "\n}\n").errors();
}

/// How a parameter of the given type and initial value starts.
Initializer initializer_of(const std::string& type, const std::string& initial) {
  const Compiled compiled =
      compile_text("dlg 1\nuse f64\nmodel m() -> [] {\n  param p: " + type + " = " + initial +
                   "\n  return sum(p)\n}\ntrain {\n  minimize = m()\n"
                   "  optimizer = sgd(0.1)\n  stop = 1 steps\n}\n");
  INFO(compiled.errors());
  REQUIRE(compiled.program);
  return compiled.program->graph.states[*compiled.program->graph.find_state("m.p")].initial;
}

TEST_CASE("decision 19: an expression of numbers alone is f64, rounded once where it meets a tensor") {
  CHECK(value_of("1/2") == 0.5);
  // 0.1 + 0.2 in f32 is 0.3 in f32 plus one unit; the sum in f64, rounded once, is 0.3 in f32.
  const std::string text =
      "dlg 1\nmodel m() -> [] {\n  param w: [] = 1\n  return w * (0.1 + 0.2)\n}\n"
      "train {\n  minimize = m()\n  optimizer = sgd(0.1)\n  stop = 1 steps\n}\n";
  const Compiled compiled = compile_text(text);
  REQUIRE(compiled.program);
  CHECK(static_cast<float>(output_of(*compiled.program, "loss").front()) == static_cast<float>(0.1 + 0.2));
}

TEST_CASE("decision 19: in dims, axes, indices and int arguments a division is exact") {
  CHECK(errors_of("sum(x) ~ 0", "use f64\ndim a = 6 / 2\nconst x: [a] = [0, 0, 0]\n") == "");
  CHECK(errors_of("1 ~ 1", "use f64\ndim a = 5 / 2\n") ==
        "t.dlg:3 found 2.5, expected a whole number as the size of an axis\n");
  CHECK(errors_of("x[1 / 2] ~ 0", "use f64\nconst x: [3] = [0, 0, 0]\n") ==
        "t.dlg:5 found 0.5, expected a whole number as an index\n");
}

TEST_CASE("decision 19: a literal that rounds to inf, or to 0 without being 0, is an error") {
  const std::string f32 = "const x: [2] = [1, 2]\n";
  CHECK(errors_of("sum(x * 1e39) ~ 0", f32).find("1e+39") != std::string::npos);
  CHECK(errors_of("sum(x * 1e-60) ~ 0", f32).find("1e-60") != std::string::npos);
  CHECK(errors_of("sum(x * 1e38) ~ 0", f32) == "");
  CHECK(errors_of("sum(x * 0) ~ 0", f32) == "");
  CHECK(errors_of("1e400 ~ 0").find("t.dlg:4") != std::string::npos);
}

TEST_CASE("decision 19: no axis has size 0, no slice is empty, no mean is over nothing") {
  CHECK(errors_of("1 ~ 1", "use f64\ndim a = 0\n") != "");
  CHECK(errors_of("sum(x[2..1]) ~ 0", "use f64\nconst x: [3] = [0, 0, 0]\n") != "");
  CHECK(errors_of("mean([]) ~ 0") != "");
}

TEST_CASE("decision 19: initialisers take out from the first axis and in from the second") {
  const auto uniform = [](const std::string& initial) { return initializer_of("[4, 8]", initial).b; };
  const auto normal = [](const std::string& initial) { return initializer_of("[4, 8]", initial).a; };
  CHECK(uniform("glorot_uniform()") == Approx(std::sqrt(6.0 / 12)));
  CHECK(uniform("he_uniform()") == Approx(std::sqrt(6.0 / 8)));
  CHECK(normal("glorot_normal()") == Approx(std::sqrt(2.0 / 12)));
  CHECK(normal("he_normal()") == Approx(std::sqrt(2.0 / 8)));
  CHECK(initializer_of("[4, 8, 3, 3]", "he_normal()").a == Approx(std::sqrt(2.0 / 72)));
  CHECK(initializer_of("[4, 8, 3, 3]", "glorot_normal()").a == Approx(std::sqrt(2.0 / 108)));
  CHECK(initializer_of("[4]", "uniform(-2, 3)").a == -2);
  CHECK(initializer_of("[4]", "uniform(-2, 3)").b == 3);
  CHECK(initializer_of("[4]", "normal(0.5)").kind == Initializer::Kind::kNormal);
}

TEST_CASE("decision 19: an initialiser with fans needs two axes") {
  const std::string text =
      "dlg 1\nmodel m() -> [] {\n  param p: [4] = glorot_uniform()\n  return sum(p)\n}\n"
      "train {\n  minimize = m()\n  optimizer = sgd(0.1)\n  stop = 1 steps\n}\n";
  CHECK(compile_text(text).errors().find("needs two axes") != std::string::npos);
}

TEST_CASE("decision 19: mse and bce_logits are means over all axes of the sample") {
  CHECK(value_of("mse([[1, 2], [3, 4]], [[1, 2], [3, 0]])") == 4);
  CHECK(value_of("bce_logits([0, 0], [1, 0])") == Approx(std::log(2)));
}

TEST_CASE("decision 19: cross_entropy has the classes on the last axis and the mean over the others") {
  CHECK(value_of("cross_entropy([[0, 0], [1000, 0]], [[1, 0], [1, 0]])") == Approx(std::log(2) / 2));
}

TEST_CASE("decision 19: sum_squares, l1 and l2 have neither a half nor a root") {
  CHECK(value_of("sum_squares([1, 5], [2, 3])") == 5);
  CHECK(value_of("l1([-3, 4])") == 7);
  CHECK(value_of("l2([-3, 4])") == 25);
}

TEST_CASE("decision 19: params of a model include its biases") {
  const std::string text =
      "dlg 1\nuse f64\nmodel m() -> [] {\n  param w: [2] = [1, 2]\n  param b: [] = 3\n  const c: [] = 9\n"
      "  return sum(w) * b * c\n}\n"
      "train {\n  minimize = l2(params(m)) + 0 * m()\n  optimizer = sgd(0.1)\n  stop = 1 steps\n}\n";
  const Compiled compiled = compile_text(text);
  REQUIRE(compiled.program);
  CHECK(output_of(*compiled.program, "loss").front() == 1 + 4 + 9);
}

TEST_CASE("decision 19: accuracy is a fraction over rows") {
  CHECK(value_of("accuracy([[0, 1], [3, 2], [5, 5], [1, 0]], [[0, 1], [0, 1], [1, 0], [1, 0]])") == 0.75);
}

}  // namespace
}  // namespace dlg
