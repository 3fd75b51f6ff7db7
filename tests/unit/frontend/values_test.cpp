// Owns the tests that elaborated programs compute what the text says, in the interpreter.
#include <cmath>

#include "tests/unit/frontend/compiled.h"

namespace dlg {
namespace {

TEST_CASE("the worked example computes the lecture's values") {
  const Compiled compiled = compile_text(example_text("backprop/net.dlg"));
  REQUIRE(compiled.program);
  CHECK(output_of(*compiled.program, "loss").front() == Approx(0.298371109).epsilon(1e-8));
  const std::vector<double> y = output_of(*compiled.program, "predict");
  CHECK(y[0] == Approx(0.751365070).epsilon(1e-8));
  CHECK(y[1] == Approx(0.772928465).epsilon(1e-8));
}

TEST_CASE("numbers alone are f64 and follow the precedence of the text") {
  CHECK(value_of("1/2") == 0.5);
  CHECK(value_of("-2^2") == -4);
  CHECK(value_of("2^-1 * 4 - 1") == 1);
  CHECK(value_of("sqrt(2) * sqrt(2)") == Approx(2));
  CHECK(value_of("max(2, 3) + min(2, 3)") == 5);
}

TEST_CASE("products follow numpy's rule") {
  const std::string definitions = R"(const A: [2, 3] = [[1, 2, 3], [4, 5, 6]]
const x: [3] = [1, 0, -1]
const y: [2] = [1, 2]
const S: [2, 2, 3] = [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [1, 1, 1]]]
)";
  CHECK(value_of("(A @ x)[1]", definitions) == -2);
  CHECK(value_of("(y @ A)[2]", definitions) == 15);
  CHECK(value_of("x @ x", definitions) == 2);
  CHECK(value_of("(A @ transpose(A))[0, 1]", definitions) == 32);
  CHECK(value_of("(S @ x)[1, 0]", definitions) == -2);
  CHECK(value_of("(S @ transpose(A))[1, 0, 1]", definitions) == 122);
}

TEST_CASE("indices, slices, as, chunk and reductions") {
  const std::string definitions =
      "const A: [2, 3] = [[1, 2, 3], [4, 5, 6]]\n"
      "fn second(x: [n]) -> [] {\n  a, b = chunk(x, 2)\n  return b[0]\n}\n"
      "fn rows(x: [r, c]) -> [r] = sum(x, over = c)\n";
  CHECK(value_of("A[1, 2]", definitions) == 6);
  CHECK(value_of("A[1][0..1][1]", definitions) == 5);
  CHECK(value_of("(A as [b: 3, c: 2])[1, 1]", definitions) == 4);
  CHECK(value_of("sum(A)", definitions) == 21);
  CHECK(value_of("mean(A[0])", definitions) == 2);
  CHECK(value_of("max(A) - min(A)", definitions) == 5);
  CHECK(value_of("argmax(A[1])", definitions) == 2);
  CHECK(value_of("rows(A)[1]", definitions) == 15);
  CHECK(value_of("second([1, 2, 3, 4])", definitions) == 3);
}

TEST_CASE("std: activations and losses") {
  CHECK(value_of("relu([-1, 2])[0]") == 0);
  CHECK(value_of("leaky_relu([-1, 2])[0]") == -0.01);
  CHECK(value_of("elu([-1])[0]") == Approx(std::expm1(-1)));
  CHECK(value_of("gelu([1])[0]") == Approx(0.8413447460685429));
  CHECK(value_of("gelu_tanh([1])[0]") == Approx(0.8411919906082768));
  CHECK(value_of("silu([1])[0]") == Approx(0.7310585786300049));
  CHECK(value_of("softmax([1000, 1000])[0]") == Approx(0.5));
  CHECK(value_of("mse([1, 2], [1, 4])") == 2);
  CHECK(value_of("sum_squares([1, 2], [1, 4])") == 4);
  CHECK(value_of("l1([-1, 2])") == 3);
  CHECK(value_of("l2([-1, 2])") == 5);
  CHECK(value_of("bce_logits([0], [1])") == Approx(std::log(2)));
  CHECK(value_of("cross_entropy([0, 0], [1, 0])") == Approx(std::log(2)));
  CHECK(value_of("accuracy([[0, 1], [3, 2]], [[0, 1], [0, 1]])") == 0.5);
}

TEST_CASE("cross entropy tells a class index from one-hot by shape") {
  const std::string text = R"(dlg 1
use f64
data d {
  x = [[1, 2, 3], [0, 0, 0]]
  t = [2, 0]
}
model m(x: [3]) -> [3] {
  param b: [3] = 0
  return x + b
}
train {
  minimize = cross_entropy(m(d.x), d.t)
  optimizer = sgd(0.1)
  stop = 3 steps
  metrics = accuracy(m(d.x), d.t)
}
)";
  const Compiled compiled = compile_text(text);
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  const double first = std::log(std::exp(-2.0) + std::exp(-1.0) + 1);
  CHECK(output_of(*compiled.program, "loss").front() == Approx((first + std::log(3.0)) / 2));
  CHECK(output_of(*compiled.program, "metric.accuracy").front() == 1);
  CHECK(compiled.program->graph.inputs[1].type.dtype == DType::kI32);
}

TEST_CASE("params may stand before the model is applied, and sum adds all") {
  const std::string text = R"(dlg 1
use f64
model m() -> [2] {
  param a: [2] = [1, 2]
  param b: [] = 3
  return a * b
}
train {
  minimize = l2(params(m)) + sum(m())
  optimizer = sgd(0.1)
  stop = 3 steps
}
)";
  const Compiled compiled = compile_text(text);
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  CHECK(output_of(*compiled.program, "loss").front() == 14 + 9);
}

TEST_CASE("built-in functions take their arguments by position or by name") {
  CHECK(value_of("exp(x = 0)") == 1);
  CHECK(value_of("max(b = 2, a = 3)") == 3);
  CHECK(value_of("max(2, b = 3)") == 3);
  CHECK(value_of("max(x = [1, 4])") == 4);
  CHECK(value_of("where(b = 5, a = 4, condition = 1 > 2)") == 5);
  CHECK(value_of("sum(over = n, x = f([1, 2]))", "fn f(x: [n]) -> [n] = x\ndim n = 2") == 3);
  CHECK(value_of("chunk(parts = 2, x = [1, 2])[1][0]") == 2);
}

TEST_CASE("only a built-in reduction takes the name of an axis as `over`") {
  CHECK(value_of("f(2, over = 3)", "fn f(x, over) = x * over") == 6);
  CHECK(value_of("sum(2, over = 3)", "fn sum(x, over) = x * over") == 6);
  CHECK(value_of("f([[1, 2], [3, 4]])", "fn f(x: [a, b]) -> [] = sum(sum(x, over = a))") == 10);
}

TEST_CASE("initialisers take their arguments by position or by name") {
  const std::string text = R"(dlg 1
model m() -> [2] {
  param a: [2] = normal(std = 0.5)
  param b: [2] = uniform(high = 2, low = -1)
  return a * b
}
train {
  minimize = sum(m())
  optimizer = sgd(0.1)
  stop = 3 steps
}
)";
  const Compiled compiled = compile_text(text);
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  const Graph& graph = compiled.program->graph;
  const Initializer& normal = graph.states[*graph.find_state("m.a")].initial;
  CHECK(normal.kind == Initializer::Kind::kNormal);
  CHECK(normal.a == 0.5);
  const Initializer& uniform = graph.states[*graph.find_state("m.b")].initial;
  CHECK(uniform.kind == Initializer::Kind::kUniform);
  CHECK(uniform.a == -1);
  CHECK(uniform.b == 2);
}

}  // namespace
}  // namespace dlg
