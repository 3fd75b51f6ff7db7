// Owns the tests of simplification: every law bit for bit on special values, folding, names.
#include "passes/simplify/simplify.h"

#include <bit>
#include <cmath>
#include <limits>

#include "ir/graph/verify.h"
#include "ir/ops/interpret.h"
#include "passes/simplify/fold_constants.h"
#include "tests/catch.h"
#include "tests/sample_graphs.h"

using namespace dlg;

namespace {

/// Zeros, subnormals, the ends of f32 and f64, powers of two, halves, thirds, infinities, NaN; both signs.
std::vector<double> special_values() {
  using Limits = std::numeric_limits<double>;
  using Narrow = std::numeric_limits<float>;
  const std::vector<double> positive{0,
                                     Limits::denorm_min(),
                                     Limits::min(),
                                     Narrow::denorm_min(),
                                     Narrow::min(),
                                     Limits::epsilon(),
                                     1.0 / 3,
                                     0.5,
                                     std::nextafter(1.0, 0.0),
                                     1,
                                     std::nextafter(1.0, 2.0),
                                     1.5,
                                     2,
                                     3,
                                     709.8,
                                     16777217,
                                     Narrow::max(),
                                     Limits::max(),
                                     Limits::infinity(),
                                     Limits::quiet_NaN()};
  std::vector<double> values = positive;
  for (const double value : positive) values.push_back(-value);
  return values;
}

bool is_same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

/// Every pair of special values over two variables: an even one runs slowly, an odd one fast.
Environment<double> special_environment(const Law& law) {
  const std::vector<double> values = special_values();
  const auto count = static_cast<std::int64_t>(values.size());
  Environment<double> environment;
  environment.rows = count * count;
  for (std::size_t v = 0; v < law.variables.size(); ++v) {
    const TensorType& type = law.pattern.type(law.variables[v]);
    Tensor<double> tensor{type.shape.at(environment.rows), {}};
    const std::int64_t inner = type.shape.elements(1);
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
      const std::int64_t row = i / inner;
      const auto pick = static_cast<std::size_t>((v % 2 == 0 ? row / count + i % inner : row) % count);
      const std::size_t kinds = type.dtype == DType::kBool ? 2 : 4;  // false and true; indices
      tensor.elements.push_back(is_float(type.dtype) ? values[pick] : static_cast<double>(pick % kinds));
    }
    environment.inputs[*leaf_path(law.pattern[law.variables[v]])] = std::move(tensor);
  }
  return environment;
}

std::size_t cost(const Graph& pattern, std::string_view side) {
  Graph one = pattern;
  one.outputs = {{"side", *pattern.find_output(side)}};
  std::size_t nodes = 0;
  for (const char live : live_values(one)) nodes += live ? 1 : 0;
  return nodes;
}

/// The simplified form of one expression of x.
Graph simplified(const std::function<Expr(Expr)>& write) {
  test::Sketch s;
  const Expr x = s.input("x", {DType::kF64, {kBatch, 4}});
  s.output("y", write(x));
  return simplify(s.graph);
}

std::string ops_text(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes) text += (text.empty() ? "" : " ") + std::string(node.op->name);
  return text;
}

const ConstantElements& elements_of(const Graph& graph, ValueId value) {
  return std::get<ConstantElements>(graph[value].attributes);
}

}  // namespace

TEST_CASE("there are 40 special values") {
  CHECK(special_values().size() == 40);
}

TEST_CASE("every law holds bit for bit on special values") {
  for (const Law& law : exact_laws().all()) {
    INFO(law.name);
    const auto values = interpret(law.pattern, special_environment(law));
    const std::vector<double>& left = values[*law.pattern.find_output("left")].elements;
    const std::vector<double>& right = values[*law.pattern.find_output("right")].elements;
    REQUIRE(left.size() == right.size());
    std::size_t differing = 0;
    for (std::size_t i = 0; i < left.size(); ++i) differing += is_same(left[i], right[i]) ? 0 : 1;
    CHECK(differing == 0);
  }
}

TEST_CASE("the right side of a law is never dearer") {
  for (const Law& law : exact_laws().all()) {
    INFO(law.name);
    CHECK(cost(law.pattern, "right") <= cost(law.pattern, "left"));
  }
}

TEST_CASE("every law rewrites its own left side") {
  for (const Law& law : exact_laws().all()) {
    INFO(law.name);
    Graph graph = law.pattern;
    graph.outputs = {{"y", *law.pattern.find_output("left")}};
    const Graph result = simplify(graph);
    REQUIRE_FALSE(verify(result, Stage::kSimplified).has_value());
    CHECK(result.nodes.size() <= cost(law.pattern, "right"));
  }
}

TEST_CASE("what is not exact has no law") {
  CHECK(ops_text(simplified([](Expr x) { return x + 0.0; })) == "input constant add");
  CHECK(ops_text(simplified([](Expr x) { return x * 0.0; })) == "input constant mul");
  CHECK(ops_text(simplified([](Expr x) { return x - x; })) == "input sub");
  CHECK(ops_text(simplified([](Expr x) { return 0.0 - x; })) == "input constant sub");
  CHECK(ops_text(simplified([](Expr x) { return x - -0.0; })) == "input constant sub");
}

TEST_CASE("a law leaves its name and the names of what it replaced") {
  test::Sketch s;
  const Expr x = s.input("x", {DType::kF64, {kBatch}});
  const Expr h = exp(x);
  s.name(h, "h");
  const Expr t = h * 1.0;
  s.name(t, "t");
  s.output("y", t);
  const Graph graph = simplify(s.graph);
  const NodeInfo& info = graph.infos[*graph.find_output("y")];
  CHECK(info.name == "h");
  CHECK(info.aliases == std::vector<std::string>{"t"});
  CHECK(info.laws == std::vector<std::string>{"mul.one"});
}

TEST_CASE("laws match either order of a commutative op") {
  CHECK(ops_text(simplified([](Expr x) { return 1.0 * x; })) == "input");
  CHECK(ops_text(simplified([](Expr x) { return -x + exp(x); })) == "input exp sub");
  CHECK(ops_text(simplified([](Expr x) { return -1.0 * (-1.0 * x); })) == "input");
}

TEST_CASE("moves of elements compose") {
  const auto turn = [](Expr x) { return transpose(transpose(x, {1, 0}), {1, 0}); };
  CHECK(ops_text(simplified(turn)) == "input");
  test::Sketch s;
  const Expr x = s.parameter("x", {DType::kF64, {4, 4}});
  s.output("y", transpose(x, {1, 0}));
  CHECK(ops_text(simplify(s.graph)) == "state transpose");
}

TEST_CASE("constants are folded by the op's own rule") {
  test::Sketch s;
  const Expr a = constant(s.builder, 3, {DType::kF64, {}});
  const Expr b = sqrt((a + 1.0) / constant_like(a, 16));
  s.output("y", broadcast_to(-b, {kBatch, 2}));
  const Graph graph = simplify(s.graph);
  REQUIRE(graph.nodes.size() == 1);
  CHECK(elements_of(graph, ValueId{0}).value == -0.5);
  CHECK(graph.type(ValueId{0}) == TensorType{DType::kF64, {kBatch, 2}});
}

TEST_CASE("literal elements are folded element by element") {
  test::Sketch s;
  const TensorType type{DType::kF64, {2, 3}};
  const Expr a{&s.builder, s.builder.add(ops::constant, {}, ConstantElements{0, {1, 2, 3, 4, 5, 6}}, type)};
  s.output("y", transpose(a * 2.0, {1, 0}));
  s.output("z", slice(a, {1, 1}, {1, 2}));
  s.output("w", broadcast_to(a, {5, 2, 3}));
  const Graph graph = simplify(s.graph);
  CHECK(elements_of(graph, *graph.find_output("y")).elements == std::vector<double>{2, 8, 4, 10, 6, 12});
  CHECK(elements_of(graph, *graph.find_output("z")).elements == std::vector<double>{5, 6});
  CHECK(graph[*graph.find_output("w")].op == &ops::broadcast);
}

TEST_CASE("elementary functions and f32 roundings are left to the program") {
  test::Sketch s;
  s.output("y", exp(constant(s.builder, 3, {DType::kF64, {}})));
  const Expr tenth = constant(s.builder, 0.1, {DType::kF32, {}});
  s.output("z", tenth * 0.1);
  s.output("half", tenth * 0.5);
  const Graph graph = simplify(s.graph);
  CHECK(graph[*graph.find_output("y")].op == &ops::exp_);
  // The f32 product of two f32 tenths is not the f32 next to 0.01; a half is exact in both.
  CHECK(graph[*graph.find_output("z")].op == &ops::mul);
  CHECK(elements_of(graph, *graph.find_output("half")).value == 0.05);
}

TEST_CASE("composites are expanded and dead nodes go") {
  test::Sketch s;
  const Expr x = s.input("x", {DType::kF64, {kBatch, 4}});
  exp(x);
  const Expr m = mean(x, {1});
  s.name(m, "m");
  s.output("y", m);
  const Graph graph = simplify(s.graph);
  CHECK_FALSE(verify(graph, Stage::kSimplified).has_value());
  CHECK(graph.name(*graph.find_output("y")) == "m");
}
