// Owns the tests of differentiation by numbers, and of its size. Names, places and the three states of a
// gradient are shown by tests/golden/passes/differentiate.
#include "passes/derive/differentiate.h"

#include "ir/graph/rewriter.h"
#include "ir/graph/verify.h"
#include "ir/ops/interpret.h"
#include "passes/simplify/simplify.h"
#include "tests/catch.h"
#include "tests/sample_graphs.h"

using namespace dlg;

namespace {

std::vector<double> output(const Graph& graph, std::string_view name) {
  const auto values = interpret(graph, default_environment(graph));
  return values[*graph.find_output(name)].elements;
}

Initializer start(double value) {
  return {.a = value, .literal = {}};
}

ValueId expand_cube(CompositeScope& scope) {
  const Expr x = scope.operand(0);
  return (x * x * x).value;
}

/// A composite that leaves its derivative to its parts.
constinit const OpDef kCube{
    .name = "cube",
    .doc = "x^3",
    .formula = "by expansion",
    .arity = 1,
    .type = [](const TypeQuery& query) -> TypeResult { return query.operands[0]; },
    .vjp = kByExpansion,
    .lowering = Composite{expand_cube},
};

}  // namespace

TEST_CASE("the lecture's network has the lecture's derivatives") {
  test::Sketch s;
  test::build_lecture_net(s);
  const Graph graph = differentiate(s.graph);
  REQUIRE_FALSE(verify(graph, Stage::kDifferentiated).has_value());
  CHECK(output(graph, "loss")[0] == Approx(0.298371109).epsilon(1e-9));
  const std::vector<double> d2 = output(graph, "d(net.W2)");
  CHECK(d2[0] == Approx(0.082167041).margin(5e-10));
  const std::vector<double> d1 = output(graph, "d(net.W1)");
  CHECK(0.15 - 0.5 * d1[0] == Approx(0.149780716).margin(5e-10));
  CHECK(0.30 - 0.5 * d1[3] == Approx(0.299502287).margin(5e-10));
}

TEST_CASE("contributions of all users add up") {
  test::Sketch s;
  const Expr w = s.parameter("w", test::kScalar, start(3));
  s.output("loss", w * w + w + 2.0 * w);
  CHECK(output(differentiate(s.graph), "d(w)") == std::vector<double>{9});
}

TEST_CASE("derivatives with respect to inner values and to parameters above them are total") {
  test::Sketch s;
  const Expr w = s.parameter("w", test::kScalar, start(2));
  const Expr h = w * w;
  const Expr e = h * h * w;  // w^5
  const auto found = gradients(s.builder, e.value, {h.value, w.value});
  s.graph.outputs = {{"dh", *found[0]}, {"dw", *found[1]}};
  CHECK(output(s.graph, "dh") == std::vector<double>{2 * 4 * 2});
  CHECK(output(s.graph, "dw") == std::vector<double>{5 * 16});
}

TEST_CASE("the derivative of a value by itself is one, of a per-sample value one over the rows") {
  test::Sketch s;
  const Expr x = s.input("x", {DType::kF64, {kBatch}}, {1, 2, 3, 4});
  s.graph.batch = 4;
  s.graph.outputs = {{"dx", *gradients(s.builder, x.value, {x.value})[0]}};
  CHECK(output(s.graph, "dx") == std::vector<double>{0.25, 0.25, 0.25, 0.25});
}

TEST_CASE("inner derivatives are resolved first") {
  test::Sketch s;
  const Expr w = s.parameter("w", test::kScalar, start(2));
  const Expr cube = w * w * w;
  const Expr first = gradient(cube, w);
  s.output("first", first);
  s.output("second", gradient(first, w));
  s.output("third", gradient(gradient(first, w), w));
  s.output("loss", first * first);
  const Graph graph = differentiate(s.graph);
  REQUIRE_FALSE(verify(graph, Stage::kDifferentiated).has_value());
  CHECK(output(graph, "first") == std::vector<double>{12});
  CHECK(output(graph, "second") == std::vector<double>{12});
  CHECK(output(graph, "third") == std::vector<double>{6});
  CHECK(output(graph, "d(w)") == std::vector<double>{2 * 12 * 12});
}

TEST_CASE("a composite without a derivative of its own is differentiated through its parts") {
  test::Sketch s;
  const Expr w = s.parameter("w", test::kScalar, start(2));
  const Expr x = exp(w);
  const Expr cube{&s.builder, s.builder.add(kCube, {x.value})};
  const Expr again{&s.builder, s.builder.add(kCube, {cube.value})};
  s.output("loss", again);  // exp(9 w)
  const Graph graph = simplify(differentiate(s.graph));
  CHECK(output(graph, "d(w)")[0] == Approx(9 * std::exp(18)));
}

namespace {

/// h1 = tanh(h0 * w), ... of so many links, with the derivative of the last by each of them.
Graph chain_with_derivatives(int length) {
  test::Sketch s;
  const Expr w = s.parameter("w", test::kScalar, start(0.5));
  std::vector<Expr> links{w};
  for (int i = 0; i < length; ++i) links.push_back(tanh(links.back() * w));
  for (int i = 0; i < length; ++i) {
    s.output("d" + std::to_string(i), gradient(links.back(), links[static_cast<std::size_t>(i)]));
  }
  return s.graph;
}

/// The derivative of the derivative of ... of an expression of one number.
Graph nested_derivatives(Expr (*of)(Expr), int depth) {
  test::Sketch s;
  const Expr w = s.parameter("w", test::kScalar, start(0.5));
  Expr e = of(w);
  for (int i = 0; i < depth; ++i) e = gradient(e, w);
  s.output("e", e);
  return s.graph;
}

}  // namespace

TEST_CASE("the derivatives of one value by many are found in one walk") {
  // As many walks as derivatives would take minutes here.
  const auto size = [](int length) {
    return static_cast<long>(resolve_gradients(chain_with_derivatives(length)).nodes.size());
  };
  const long step = size(2000) - size(1000);
  CHECK(size(4000) - size(2000) == 2 * step);
}

TEST_CASE("derivatives found together are those found alone") {
  const Graph together = resolve_gradients(chain_with_derivatives(6));
  for (const Output& wanted : chain_with_derivatives(6).outputs) {
    const Graph alone = resolve_gradients(with_outputs(chain_with_derivatives(6), {wanted}));
    CHECK(output(alone, wanted.name) == output(together, wanted.name));
  }
}

TEST_CASE("derivatives of derivatives are bounded where they grow, and only there") {
  const auto cube = [](Expr x) { return x * x * x; };
  const auto bend = [](Expr x) { return tanh(x); };
  CHECK_FALSE(find_large_derivative(nested_derivatives(cube, 2)).has_value());
  CHECK_FALSE(find_large_derivative(nested_derivatives(bend, 4)).has_value());
  CHECK(find_large_derivative(nested_derivatives(bend, 16)).has_value());
  // The walk stops at the limit: a hundred levels take no longer.
  CHECK(find_large_derivative(nested_derivatives(bend, 100)).has_value());
  CHECK_FALSE(find_large_derivative(chain_with_derivatives(1000)).has_value());
}
