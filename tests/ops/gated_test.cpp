// Owns the proof that what a `where` did not choose never poisons a gradient: random nestings of element-wise
// ops, products and selections, at points where the branch that is not chosen is singular, against dual
// numbers.
#include <fmt/format.h>

#include <cmath>

#include "ir/graph/text.h"
#include "ir/ops/expr.h"
#include "passes/derive/differentiate.h"
#include "tests/catch.h"
#include "tests/ops/op_samples.h"

namespace dlg {
namespace {

/// Where logarithms, quotients, roots and powers are singular, and ordinary numbers.
const std::vector<double> kPoints{0.0, -0.0, -1, 1, 0.5, -0.75, 2, 1.5, -2, 0x1p-1074};

/// A function of x, element by element, and whether it chose something wild anywhere (1, else 0).
struct Guarded {
  Expr value;
  Expr is_wild;
};

class Nesting {
 public:
  Nesting(Expr x, std::uint64_t seed) : x_(x), random_(seed) {}

  /// A `where` between something wild and something tame.
  Guarded guarded(int depth) {
    const Expr inside = wild(depth);
    const double bound = draw(2) == 0 ? 0 : 0.25;
    const Expr condition = compare(draw(2) == 0 ? ">" : "<=", x_, constant_like(x_, bound));
    const Guarded other = draw(2) == 0 ? constant(0) : tame(depth - 1);
    const Expr one = constant_like(x_, 1);
    if (draw(2) == 0) {
      return {select(condition, inside, other.value), select(condition, one, other.is_wild)};
    }
    return {select(condition, other.value, inside), select(condition, other.is_wild, one)};
  }

  /// Finite with its derivative, but for what it chooses.
  Guarded tame(int depth) {
    static constexpr Expr (*kUnary[])(Expr) = {tanh, sin, cos, sigmoid, softplus, abs};
    if (depth <= 0) return {x_, constant_like(x_, 0)};
    if (draw(3) == 0) return guarded(depth - 1);
    const Guarded a = tame(depth - 1);
    if (draw(3) == 0) return {kUnary[draw(std::size(kUnary))](a.value), a.is_wild};
    const Guarded b = tame(depth - 1);
    const Expr is_wild = max(a.is_wild, b.is_wild);
    return {draw(2) == 0 ? a.value * b.value : a.value - b.value, is_wild};
  }

 private:
  std::size_t draw(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
  Guarded constant(double value) { return {constant_like(x_, value), constant_like(x_, 0)}; }

  Expr wild(int depth) {
    if (depth <= 0) return draw(4) == 0 ? constant_like(x_, 0) : x_;
    if (draw(3) == 0) return unary(wild(depth - 1));
    if (draw(5) == 0) return guarded(depth - 1).value;
    return binary(wild(depth - 1), wild(depth - 1));
  }

  Expr unary(Expr a) {
    static constexpr Expr (*kUnary[])(Expr) = {log, sqrt,    exp,      log1p, expm1, tanh,
                                               abs, sigmoid, softplus, sin,   cos,   sign};
    if (draw(6) == 0) return 1.0 / a;
    if (draw(6) == 0) return pow(a, constant_like(a, 0.5));
    if (draw(8) == 0) return -a;
    return kUnary[draw(std::size(kUnary))](a);
  }

  Expr binary(Expr a, Expr b) {
    static constexpr Expr (*kBinary[])(Expr, Expr) = {max, min, pow};
    if (draw(2) == 0) return a * b;
    const std::size_t kind = draw(6);
    if (kind == 0) return a + b;
    if (kind == 1) return a - b;
    if (kind == 2) return a / b;
    return kBinary[kind - 3](a, b);
  }

  Expr x_;
  std::mt19937_64 random_;
};

/// What was compared.
struct Count {
  int compared = 0;
  int singular = 0;  // not finite in a branch that was not chosen
  int graphs = 0;
};

struct Study {
  Graph graph;
  Environment<double> environment;
  ValueId y;
  ValueId is_wild;
  ValueId gradient;
};

std::optional<Study> study_of(std::uint64_t seed, int depth) {
  Study study;
  Builder builder(study.graph);
  const Shape shape{static_cast<std::int64_t>(kPoints.size())};
  const Expr x{&builder, add_leaf(builder, "x", {DType::kF64, shape})};
  study.environment.states["x"] = {shape, kPoints};
  Nesting nesting(x, seed);
  const Guarded function = seed % 2 == 0 ? nesting.guarded(depth) : nesting.tame(depth + 1);
  study.y = function.value.value;
  study.is_wild = function.is_wild.value;
  const auto found = gradients(builder, sum({&builder, study.y}, {0}).value, {x.value});
  if (!found[0]) return std::nullopt;
  study.gradient = *found[0];
  study.graph.outputs = {{"y", study.y}, {"wild", study.is_wild}, {"g", study.gradient}, {"x", x.value}};
  return study;
}

bool has_singular_element(const IdVector<ValueId, Tensor<double>>& values, std::size_t element) {
  for (const Tensor<double>& tensor : values) {
    if (tensor.elements.size() == kPoints.size() && !std::isfinite(tensor.elements[element])) return true;
  }
  return false;
}

void compare_with_duals(std::uint64_t seed, const Study& study, Count& count) {
  Environment<Dual> environment = converted<Dual>(study.environment);
  for (Dual& x : environment.states["x"].elements) x.derivative = 1;
  const std::vector<Dual> expected = interpret(study.graph, environment)[study.y].elements;
  const auto values = interpret(study.graph, study.environment);
  const std::vector<double>& found = values[study.gradient].elements;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool is_singular = has_singular_element(values, i);
    const bool has_chosen_wild = values[study.is_wild].elements[i] != 0;
    if (has_chosen_wild && (is_singular || !std::isfinite(expected[i].derivative))) continue;
    ++count.compared;
    if (is_singular) ++count.singular;
    const double size = std::max(1.0, std::abs(expected[i].derivative));
    INFO("nesting " << seed << " at " << kPoints[i] << ": " << found[i] << ", by dual numbers "
                    << expected[i].derivative << "\n"
                    << print_graph(study.graph, Sources()));
    CHECK(std::abs(found[i] - expected[i].derivative) <= 1e-9 * size);
  }
}

/// The derivative of the gradient, against second-order dual numbers.
void compare_with_second_duals(std::uint64_t seed, Study& study, Count& count) {
  Builder builder(study.graph);
  const ValueId x = *study.graph.find_output("x");
  const auto found = gradients(builder, sum({&builder, study.gradient}, {0}).value, {x});
  if (!found[0]) return;  // the gradient is a constant
  study.graph.outputs.push_back({"h", *found[0]});
  Environment<SecondDual> environment = converted<SecondDual>(study.environment);
  for (SecondDual& element : environment.states["x"].elements) element.first = element.second = 1;
  const std::vector<SecondDual> expected = interpret(study.graph, environment)[study.y].elements;
  const auto values = interpret(study.graph, study.environment);
  const std::vector<double>& curvatures = values[*found[0]].elements;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const bool is_singular = has_singular_element(values, i);
    if (values[study.is_wild].elements[i] != 0 && (is_singular || !std::isfinite(expected[i].mixed)))
      continue;
    ++count.compared;
    if (is_singular) ++count.singular;
    const double size = std::max({1.0, std::abs(expected[i].mixed), std::abs(expected[i].first)});
    INFO("nesting " << seed << " at " << kPoints[i] << ": " << curvatures[i] << ", by dual numbers "
                    << expected[i].mixed << "\n"
                    << print_graph(study.graph, Sources()));
    CHECK(std::abs(curvatures[i] - expected[i].mixed) <= 1e-8 * size);
  }
}

/// The derivative of the formula at a point, of order 1 or 2.
double derivative_at(Expr (*formula)(Expr), double point, int order) {
  Study study;
  Builder builder(study.graph);
  const Expr x{&builder, add_leaf(builder, "x", {DType::kF64, Shape{1}})};
  study.environment.states["x"] = {Shape{1}, {point}};
  Expr y = formula(x);
  for (int i = 0; i < order; ++i) {
    const auto found = gradients(builder, sum(y, {0}).value, {x.value});
    REQUIRE(found[0]);
    y.value = *found[0];
  }
  study.graph.outputs = {{"y", y.value}};
  return interpret(study.graph, study.environment)[y.value].elements[0];
}

double slope_at(Expr (*formula)(Expr), double point) {
  return derivative_at(formula, point, 1);
}

double curvature_at(Expr (*formula)(Expr), double point) {
  return derivative_at(formula, point, 2);
}

Expr is_positive(Expr x) {
  return compare(">", x, constant_like(x, 0));
}

}  // namespace

TEST_CASE("a guarded product has no NaN in its gradient") {
  const auto entropy = [](Expr x) { return select(is_positive(x), x * log(x), constant_like(x, 0)); };
  CHECK(slope_at(entropy, 0) == 0);
  CHECK(slope_at(entropy, -1) == 0);
  CHECK(slope_at(entropy, 0.25) == Approx(1 + std::log(0.25)));
  const auto wave = [](Expr x) { return select(is_positive(abs(x)), x * sin(1.0 / x), constant_like(x, 0)); };
  CHECK(slope_at(wave, 0) == 0);
  const auto nested = [](Expr x) {
    const Expr inner = select(is_positive(x), sqrt(x) * log(x), x * x);
    return select(is_positive(x + 1.0), inner * tanh(1.0 / (x + 1.0)), constant_like(x, 0));
  };
  CHECK(slope_at(nested, -1) == 0);
}

TEST_CASE("a guarded product has no NaN in its second derivative") {
  const auto entropy = [](Expr x) { return select(is_positive(x), x * log(x), constant_like(x, 0)); };
  CHECK(curvature_at(entropy, 0) == 0);
  CHECK(curvature_at(entropy, 0.25) == Approx(4));
  const auto root = [](Expr x) { return select(is_positive(x), x * sqrt(x), constant_like(x, 0)); };
  CHECK(curvature_at(root, 0) == 0);
  CHECK(curvature_at(root, 4) == Approx(0.375));
  const auto power = [](Expr x) {
    return select(is_positive(x), x * pow(x, constant_like(x, 0.5)) / (x * x), constant_like(x, 1));
  };
  CHECK(curvature_at(power, 0) == 0);
  CHECK(curvature_at(power, 4) == Approx(0.75 / 32));
}

TEST_CASE("a product outside of a where is not masked: 0 times inf is NaN") {
  CHECK(std::isnan(slope_at([](Expr x) { return x * x * log(x); }, 0)));
  CHECK(std::isnan(slope_at(
      [](Expr x) { return select(is_positive(x), x * x * log(x), constant_like(x, 0)) + x * x * log(x); },
      0)));
}

TEST_CASE("random nestings of where and singular ops have the gradients of dual numbers") {
  Count count;
  for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
    const std::optional<Study> study = study_of(seed, 2 + static_cast<int>(seed % 3));
    if (!study) continue;
    ++count.graphs;
    compare_with_duals(seed, *study, count);
  }
  fmt::print("{} nestings, {} elements compared, {} of them beside something that is not finite\n",
             count.graphs, count.compared, count.singular);
  CHECK(count.graphs > 2000);
  CHECK(count.singular > 1000);
}

TEST_CASE("random nestings of where and singular ops have the second derivatives of dual numbers") {
  Count count;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    std::optional<Study> study = study_of(seed, 2);
    if (!study) continue;
    ++count.graphs;
    compare_with_second_duals(seed, *study, count);
  }
  fmt::print("{} nestings, {} second derivatives compared, {} of them beside something that is not finite\n",
             count.graphs, count.compared, count.singular);
  CHECK(count.singular > 300);
}

TEST_CASE("the second derivatives of a power by its exponent are 0 at base 0") {
  for (const double exponent : {0.5, 1.0, 2.0, 2.5, 7.0}) {
    Study study;
    Builder builder(study.graph);
    const Expr x{&builder, add_leaf(builder, "x", {DType::kF64, Shape{1}})};
    const Expr p{&builder, add_leaf(builder, "p", {DType::kF64, Shape{1}})};
    study.environment.states["x"] = {Shape{1}, {0}};
    study.environment.states["p"] = {Shape{1}, {exponent}};
    const Expr e = sum(pow(x, p), {0});
    const auto first = gradients(builder, e.value, {p.value});
    REQUIRE(first[0]);
    const auto second = gradients(builder, sum({&builder, *first[0]}, {0}).value, {p.value, x.value});
    REQUIRE(second[0]);
    REQUIRE(second[1]);
    study.graph.outputs = {{"d", *first[0]}, {"dpp", *second[0]}, {"dpx", *second[1]}};
    const auto values = interpret(study.graph, study.environment);
    CAPTURE(exponent);
    CHECK(values[*first[0]].elements[0] == 0);
    CHECK(values[*second[0]].elements[0] == 0);
    CHECK(values[*second[1]].elements[0] == 0);
  }
}

}  // namespace dlg
