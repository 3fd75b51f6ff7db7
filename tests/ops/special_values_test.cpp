// The special values of decision 19 of the language, by hand: one test per line of it.
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>

#include "ir/ops/expr.h"
#include "passes/derive/differentiate.h"
#include "tests/catch.h"
#include "tests/ops/op_samples.h"

namespace dlg {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

using Formula = std::function<Expr(const std::vector<Expr>&)>;

/// The sum of a formula of vectors of one length, with what it gives at `points`.
struct Outcome {
  std::vector<double> value;
  std::vector<std::vector<double>> gradients;  // one vector per operand
};

Outcome evaluate(const Formula& formula, const std::vector<std::vector<double>>& points, double seed = 1) {
  Graph graph;
  Builder builder(graph);
  Environment<double> environment;
  std::vector<Expr> operands;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Shape shape{static_cast<std::int64_t>(points[i].size())};
    const std::string path = fmt::format("x{}", i);
    operands.push_back({&builder, add_leaf(builder, path, {DType::kF64, shape})});
    environment.states[path] = {shape, points[i]};
  }
  const Expr y = formula(operands);
  const Expr e = y.shape().rank() == 0 ? y * seed : sum(y * seed, {0});
  std::vector<ValueId> wrt;
  for (const Expr operand : operands) wrt.push_back(operand.value);
  const auto found = gradients(builder, e.value, wrt);
  graph.outputs = {{"y", y.value}};
  for (const auto& gradient : found) {
    if (gradient) graph.outputs.push_back({"g", *gradient});
  }
  const auto values = interpret(graph, environment);
  Outcome outcome{values[y.value].elements, {}};
  for (const auto& gradient : found) {
    outcome.gradients.push_back(gradient ? values[*gradient].elements : std::vector<double>{});
  }
  return outcome;
}

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || a == b;
}

bool same(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}

std::string shown(const std::vector<double>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ", "));
}

void check_same(const std::vector<double>& found, const std::vector<double>& expected) {
  INFO("found " << shown(found) << ", expected " << shown(expected));
  CHECK(same(found, expected));
}

}  // namespace

TEST_CASE("decision 19: max and min let NaN win and share ties") {
  const std::vector<double> a{1, 2, 3, kNaN, 1, kNaN, 0.0};
  const std::vector<double> b{2, 2, 1, 1, kNaN, kNaN, -0.0};
  const Outcome larger = evaluate([](const auto& x) { return max(x[0], x[1]); }, {a, b});
  check_same(larger.value, {2, 2, 3, kNaN, kNaN, kNaN, 0});
  check_same(larger.gradients[0], {0, 0.5, 1, 1, 0, 0.5, 0.5});
  check_same(larger.gradients[1], {1, 0.5, 0, 0, 1, 0.5, 0.5});
  const Outcome smaller = evaluate([](const auto& x) { return min(x[0], x[1]); }, {a, b});
  check_same(smaller.value, {1, 2, 1, kNaN, kNaN, kNaN, 0});
  check_same(smaller.gradients[0], {1, 0.5, 0, 1, 0, 0.5, 0.5});
  check_same(smaller.gradients[1], {0, 0.5, 1, 0, 1, 0.5, 0.5});
}

TEST_CASE("decision 19: reductions share ties equally") {
  const auto largest = [](const auto& x) { return reduce_max(x[0], {0}); };
  const auto smallest = [](const auto& x) { return reduce_min(x[0], {0}); };
  check_same(evaluate(largest, {{1, 3, 3, 3, 2, 3}}).gradients[0], {0, 0.25, 0.25, 0.25, 0, 0.25});
  check_same(evaluate(smallest, {{1, 3, 1}}).gradients[0], {0.5, 0, 0.5});
  check_same(evaluate(largest, {{0.0, -0.0}}).gradients[0], {0.5, 0.5});
  check_same(evaluate(largest, {{1, kNaN, 3}}).value, {kNaN});
  check_same(evaluate(largest, {{1, kNaN, kInf, kNaN}}).gradients[0], {0, 0.5, 0, 0.5});
  check_same(evaluate(smallest, {{-kInf, -kInf}}).gradients[0], {0.5, 0.5});
}

TEST_CASE("decision 19: argmax takes the first of equals and counts NaN as largest") {
  const auto first = [](const auto& x) { return cast(argmax(x[0], 0), DType::kF64); };
  CHECK(evaluate(first, {{1, 3, 3}}).value[0] == 1);
  CHECK(evaluate(first, {{1, kNaN, kInf, kNaN}}).value[0] == 1);
  CHECK(evaluate(first, {{-kInf, -kInf}}).value[0] == 0);
  CHECK(evaluate(first, {{-0.0, 0.0}}).value[0] == 0);
}

TEST_CASE("decision 19: the derivative of abs is 0 at 0") {
  const Outcome outcome = evaluate([](const auto& x) { return abs(x[0]); }, {{-2, 0, -0.0, 3}});
  check_same(outcome.gradients[0], {-1, 0, 0, 1});
}

TEST_CASE("decision 19: sign is 0 at 0, NaN at NaN, and its derivative 0") {
  const Outcome outcome = evaluate([](const auto& x) { return sign(x[0]); }, {{-2, 0, 3, kNaN, -kInf}});
  check_same(outcome.value, {-1, 0, 1, kNaN, -1});
  check_same(outcome.gradients[0], {0, 0, 0, 0, 0});
}

TEST_CASE("decision 19: the derivative of sqrt is inf at 0") {
  check_same(evaluate([](const auto& x) { return sqrt(x[0]); }, {{0, 4}}).gradients[0], {kInf, 0.25});
}

TEST_CASE("decision 19: a dead branch never poisons a gradient") {
  struct Row {
    const char* title;
    Formula dead;
    double at;
  };
  const std::vector<Row> rows{
      {"log(0)", [](const auto& x) { return log(x[0]); }, 0},
      {"log(-1)", [](const auto& x) { return log(x[0]); }, -1},
      {"log1p(-1)", [](const auto& x) { return log1p(x[0]); }, -1},
      {"1 / 0", [](const auto& x) { return 1.0 / x[0]; }, 0},
      {"x / x at 0", [](const auto& x) { return x[0] / x[0]; }, 0},
      {"sqrt(-1)", [](const auto& x) { return sqrt(x[0]); }, -1},
      {"sqrt(0)", [](const auto& x) { return sqrt(x[0]); }, 0},
      {"exp(1000)", [](const auto& x) { return exp(x[0]); }, 1000},
      {"expm1(1000)", [](const auto& x) { return expm1(x[0]); }, 1000},
      {"0^-1", [](const auto& x) { return pow(x[0], constant_like(x[0], -1)); }, 0},
      {"(-1)^0.5", [](const auto& x) { return pow(x[0], constant_like(x[0], 0.5)); }, -1},
  };
  for (const Row& row : rows) {
    INFO(row.title);
    const Formula guarded = [&](const std::vector<Expr>& x) {
      return select(compare("==", x[0], constant_like(x[0], row.at)), x[0] * 3.0, row.dead(x));
    };
    check_same(evaluate(guarded, {{row.at}}).gradients[0], {3});
  }
}

TEST_CASE("decision 19: a product does not mask") {
  const auto product = [](const auto& x) { return x[0] * x[1]; };
  CHECK(std::isnan(evaluate(product, {{1}, {kInf}}, 0).gradients[0][0]));
  const auto dot = [](const auto& x) { return contract(x[0], x[1], "i,i->"); };
  CHECK(std::isnan(evaluate(dot, {{1}, {kInf}}, 0).gradients[0][0]));
}

TEST_CASE("decision 19: masked rules give 0 for a seed of exactly 0") {
  const auto quotient = [](const auto& x) { return x[0] / x[1]; };
  const Outcome outcome = evaluate(quotient, {{1}, {0}}, 0);
  check_same(outcome.gradients[0], {0});
  check_same(outcome.gradients[1], {0});
}

TEST_CASE("decision 19: powers of C and their derivatives") {
  const auto power = [](const auto& x) { return pow(x[0], x[1]); };
  //                               0^0  0^2  0^-1   2^0  -2^3  -2^0  2^3  0^0.5
  const std::vector<double> base{0, 0, 0, 2, -2, -2, 2, 0};
  const std::vector<double> exponent{0, 2, -1, 0, 3, 0, 3, 0.5};
  const Outcome outcome = evaluate(power, {base, exponent});
  check_same(outcome.value, {1, 0, kInf, 1, -8, 1, 8, 0});
  check_same(outcome.gradients[0], {0, 0, -kInf, 0, 12, 0, 12, kInf});
  check_same(outcome.gradients[1], {0, 0, -kInf, std::log(2.0), kNaN, kNaN, 8 * std::log(2.0), 0});
}

TEST_CASE("decision 19: integer powers by repeated squaring") {
  for (int n = -64; n <= 64; ++n) {
    INFO(n);
    const auto power = [n](const auto& x) { return integer_pow(x[0], n); };
    const Outcome outcome = evaluate(power, {{1.25, -0.75, 0}});
    for (std::size_t i = 0; i < 2; ++i) {
      const double x = i == 0 ? 1.25 : -0.75;
      CHECK(outcome.value[i] == Approx(std::pow(x, n)).epsilon(1e-13));
      const double slope = n == 0 ? 0 : n * std::pow(x, n - 1);
      const double found = outcome.gradients[0].empty() ? 0 : outcome.gradients[0][i];
      CHECK(found == Approx(slope).epsilon(1e-13));
    }
    CHECK(outcome.value[2] == (n == 0 ? 1 : n > 0 ? 0 : kInf));
  }
}

TEST_CASE("logsumexp: all -inf give -inf with gradient 0, +inf and NaN pass through") {
  const auto lse = [](const auto& x) { return logsumexp(x[0], {0}); };
  const Outcome nothing = evaluate(lse, {{-kInf, -kInf, -kInf}});
  check_same(nothing.value, {-kInf});
  check_same(nothing.gradients[0], {0, 0, 0});
  CHECK(evaluate(lse, {{1, kInf}}).value[0] == kInf);
  CHECK(std::isnan(evaluate(lse, {{1, kNaN}}).value[0]));
  CHECK(std::isnan(evaluate(lse, {{-kInf, kNaN}}).value[0]));
  const Outcome partly = evaluate(lse, {{-kInf, 0, 0}});
  CHECK(partly.value[0] == Approx(std::log(2.0)));
  check_same(partly.gradients[0], {0, 0.5, 0.5});
  const Outcome far = evaluate(lse, {{1e300, -1e300, 5}});
  check_same(far.value, {1e300});
  check_same(far.gradients[0], {1, 0, 0});
}

TEST_CASE("sigmoid and softplus saturate exactly") {
  const auto s = evaluate([](const auto& x) { return sigmoid(x[0]); }, {{-kInf, -1000, 0, 1000, kInf, kNaN}});
  check_same(s.value, {0, 0, 0.5, 1, 1, kNaN});
  const auto p = evaluate([](const auto& x) { return softplus(x[0]); }, {{-kInf, 1000, kInf, kNaN}});
  check_same(p.value, {0, 1000, kInf, kNaN});
  check_same(p.gradients[0], {0, 1, 1, kNaN});
}

TEST_CASE("repeated indices of gather add in its gradient") {
  const auto pick = [](const std::vector<Expr>& x) {
    const Expr index{x[0].builder, x[0].builder->add(ops::constant, {}, ConstantElements{0, {2, 0, 2, 2}},
                                                     {DType::kI32, {4}})};
    return gather(x[0], index) * x[1];
  };
  const Outcome outcome = evaluate(pick, {{10, 20, 30}, {1, 2, 4, 8}});
  check_same(outcome.value, {30, 20, 120, 240});
  check_same(outcome.gradients[0], {2, 0, 13});
}

TEST_CASE("select: the element that is not chosen has no influence") {
  const auto chosen = [](const std::vector<Expr>& x) {
    return select(compare(">", x[0], constant_like(x[0], 0)), x[0], x[1]);
  };
  const Outcome outcome = evaluate(chosen, {{1, -1, kNaN}, {kNaN, 5, 7}});
  check_same(outcome.value, {1, 5, 7});
  check_same(outcome.gradients[0], {1, 0, 0});
  check_same(outcome.gradients[1], {0, 1, 1});
}

}  // namespace dlg
