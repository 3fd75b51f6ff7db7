// Owns races of known outcome: what a race says of a run is compared with theory that is computed here.
#include <fmt/format.h>

#include <cmath>
#include <complex>
#include <numbers>
#include <random>

#include "runtime/json.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// What a run is to be called.
struct Outcome {
  std::string rule;
  std::string rate;
  double factor = 0;            // of a linear rate
  double tolerance = 0;         // of 1 - factor, a share
  std::string remark;           // a part of it; empty: any
  bool may_be_unclear = false;  // "-" will do
};

struct Arena {
  std::string name;
  std::string dtype;  // "f32", "f64"
  std::string text;   // definitions; `minimize` and what goes with it
  std::string minimize;
  int steps = 0;
  std::vector<Outcome> outcomes;
};

std::string race_text(const Arena& arena) {
  std::string rules;
  for (const Outcome& outcome : arena.outcomes) rules += (rules.empty() ? "" : ", ") + outcome.rule;
  return fmt::format("dlg 1\nuse {}\n{}\nrace \"{}\" {{\n{}\n  with = [{}]\n  stop = [{} steps]\n}}\n",
                     arena.dtype, arena.text, arena.name, arena.minimize, rules, arena.steps);
}

void check_outcome(const Json& rule, const Outcome& expected) {
  const std::string rate = *rule.find("rate")->as_text();
  const std::string remark = *rule.find("remark")->as_text();
  CAPTURE(expected.rule, remark);
  CHECK(*rule.find("rule")->as_text() == expected.rule);
  if (!expected.may_be_unclear || rate != "-") CHECK(rate == expected.rate);
  CHECK(remark.find(expected.remark) != std::string::npos);
  if (expected.rate != "linear" || rate != "linear") return;
  const double factor = *rule.find("R")->as_number();
  CAPTURE(factor, expected.factor);
  CHECK(std::abs(factor - expected.factor) <= expected.tolerance * (1 - expected.factor) + 1e-12);
}

void check_arena(const Arena& arena) {
  CAPTURE(arena.name, arena.dtype);
  const TempFolder folder;
  const std::string path = folder.write("race.dlg", race_text(arena));
  const Called called = call_dlg({"race", path, "--json", "--out", folder.file("out")});
  INFO(race_text(arena));
  INFO(called.err);
  REQUIRE(called.exit_code == 0);
  const JsonResult result = parse_json(called.out);
  REQUIRE(result.value);
  const auto& rules = *result.value->find("races")->as_array()->front().find("rules")->as_array();
  REQUIRE(rules.size() == arena.outcomes.size());
  for (std::size_t i = 0; i < rules.size(); ++i) check_outcome(rules[i], arena.outcomes[i]);
}

/// The larger root of z^2 - b z + c, squared: f counts squares of distances.
double squared_root(double b, double c) {
  const std::complex<double> root = std::sqrt(std::complex<double>(b * b - 4 * c));
  const double larger = std::max(std::abs(b + root), std::abs(b - root)) / 2;
  return larger * larger;
}

/// How many waves f has in the steps in which it falls by e^`fall`: the angle of the root turns twice as
/// fast.
double waves_of(double b, double c, double fall) {
  if (b * b >= 4 * c) return INFINITY;
  const double angle = std::acos(b / (2 * std::sqrt(c)));
  return fall / -std::log(c) * angle / std::numbers::pi;
}

double sgd_factor(double lr, double curvature) {
  return std::pow(1 - lr * curvature, 2);
}

/// v <- beta v + lr g; w <- w - v, along a direction of curvature c: w'' - (1 + beta - lr c) w' + beta w = 0.
double momentum_factor(double lr, double beta, double c) {
  return squared_root(1 + beta - lr * c, beta);
}

/// With the gradient at w - beta v: w'' - (1 + beta)(1 - lr c) w' + beta (1 - lr c) w = 0.
double nesterov_factor(double lr, double beta, double c) {
  return squared_root((1 + beta) * (1 - lr * c), beta * (1 - lr * c));
}

/// A quadratic a/2 (x - p)^2 + b/2 (y - q)^2 + offset with a < b.
struct Bowl {
  double a = 1, b = 1, p = 0, q = 0, offset = 0;

  std::string text() const {
    return fmt::format("fn f(w: [2]) -> [] = {} * (w[0] - ({}))^2 + {} * (w[1] - ({}))^2 + {}", a / 2, p,
                       b / 2, q, offset);
  }
};

constexpr double kBeta = 0.8;

Outcome linear(std::string rule, double factor, double tolerance) {
  return {std::move(rule), "linear", factor, tolerance, "expected R"};
}

Arena arena_of(const Bowl& bowl, double lr, double damped, const std::string& dtype) {
  Arena arena{"bowl", dtype, bowl.text(), "  minimize = f\n  start = [3.0, -2.0]", 0, {}};
  const double sgd = std::max(sgd_factor(lr, bowl.a), sgd_factor(lr, bowl.b));
  const double momentum = std::max(momentum_factor(lr, kBeta, bowl.a), momentum_factor(lr, kBeta, bowl.b));
  const double nesterov = std::max(nesterov_factor(lr, kBeta, bowl.a), nesterov_factor(lr, kBeta, bowl.b));
  constexpr double kSmooth = 0.05;
  constexpr double kWaves = 0.25;
  arena.outcomes.push_back(linear(fmt::format("sgd(lr = {})", lr), sgd, kSmooth));
  arena.outcomes.push_back(linear(fmt::format("momentum(lr = {}, beta = {})", lr, kBeta), momentum, kWaves));
  arena.outcomes.push_back(linear(fmt::format("nesterov(lr = {}, beta = {})", lr, kBeta), nesterov, kWaves));
  arena.outcomes.push_back(linear(fmt::format("newton(lr = {})", damped), std::pow(1 - damped, 2), kSmooth));
  // Of f32 about e^-14 can be seen: too little for a rate if waves are long.
  constexpr double kSeen = 14;
  constexpr double kFewWaves = 4;
  const double b = (1 + kBeta) * (1 - lr * bowl.a);
  arena.outcomes[2].may_be_unclear =
      dtype == "f32" && waves_of(b, kBeta * (1 - lr * bowl.a), kSeen) < kFewWaves;
  // Down by e^-25, where f32 has long been at its rounding: the rate is that of the steps before.
  const double slowest = std::max({sgd, momentum, nesterov});
  arena.steps = static_cast<int>(25 / -std::log(slowest)) + 40;
  return arena;
}

TEST_CASE("quadratics of all kinds converge as theory says, in both dtypes") {
  std::mt19937 random(7);
  const auto between = [&](double low, double high) {
    const double x = std::uniform_real_distribution<double>(low, high)(random);
    return std::round(x * 1000) / 1000;
  };
  for (int i = 0; i < 8; ++i) {
    Bowl bowl{between(0.5, 2), 0, between(-1, 1), between(-1, 1), i % 2 == 0 ? 0 : between(-5, 5)};
    bowl.b = std::round(bowl.a * between(1.5, 20) * 1000) / 1000;
    // Below 1 / b no direction changes sides, and the slow one is the last.
    const double lr = std::round(between(0.3, 0.9) / bowl.b * 10000) / 10000;
    const double damped = between(0.3, 0.7);
    for (const std::string dtype : {"f64", "f32"}) {
      CAPTURE(i);
      check_arena(arena_of(bowl, lr, damped, dtype));
    }
  }
}

const std::string kRavine = "fn f(w: [2]) -> [] = 0.5 * (w[0]^2 + 25 * w[1]^2)";
const std::string kRavineStart = "  minimize = f\n  start = [-4.0, 1.0]";

TEST_CASE("on a ravine: the best step, the limit, beyond it, and who jitters") {
  const double best = 2.0 / 26;
  check_arena(
      {"ravine",
       "f64",
       kRavine,
       kRavineStart,
       400,
       {linear("sgd(lr = 2 / 26)", sgd_factor(best, 1), 0.01),
        {"sgd(lr = 0.08)", "jitters", 0, 0, "expected R 1.0000"},
        {"sgd(lr = 0.0801)", "too early to tell", 0, 0, "expected R 1.0050"},
        {"sgd(lr = 0.083)", "diverges", 0, 0, "the step 0.083 is above the limit 2/lambda_max = 0.08"},
        {"momentum(lr = 0.16, beta = 0.9)", "diverges", 0, 0, "unstable"},
        {"rmsprop(lr = 0.05)", "jitters", 0, 0, "f - f*"},
        {"lion(lr = 0.03)", "jitters", 0, 0, "f - f*"},
        {"newton()", "at once", 0, 0, ""}}});
}

TEST_CASE("one dimension: 1/a arrives at once, in both dtypes") {
  for (const std::string dtype : {"f64", "f32"}) {
    check_arena({"parabola",
                 dtype,
                 "fn f(w: [1]) -> [] = 2 * (w[0] - 0.3)^2 + 1",
                 "  minimize = f\n  start = [5.0]",
                 60,
                 {{"sgd(lr = 0.25)", "at once", 0, 0, ""},
                  {"newton()", "at once", 0, 0, ""},
                  linear("sgd(lr = 0.125)", 0.25, 0.02)}});
  }
}

TEST_CASE("flat minima: powers of the step, whose exponent is p / (p - 2) for x^p") {
  check_arena(
      {"quartic",
       "f64",
       "fn f(w: [1]) -> [] = w[0]^4",
       "  minimize = f\n  start = [1.0]",
       1500,
       {{"sgd(lr = 0.1)", "O(1/n^2)", 0, 0, ""}, {"newton()", "linear", std::pow(2.0 / 3, 4), 0.01, ""}}});
  check_arena(
      {"sextic",
       "f64",
       "fn f(w: [1]) -> [] = w[0]^6",
       "  minimize = f\n  start = [1.0]",
       3000,
       {{"sgd(lr = 0.1)", "O(1/n^1.5)", 0, 0, ""}, {"newton()", "linear", std::pow(4.0 / 5, 6), 0.01, ""}}});
}

TEST_CASE("Newton on smooth functions is quadratic, gradient descent linear") {
  // The curvatures at the minimum (0, 0) are 1 and 2.
  const std::string smooth = "fn f(w: [2]) -> [] = exp(w[0]) - w[0] + w[1]^2 + 0.1 * w[1]^4 - 1";
  for (const std::string dtype : {"f64", "f32"}) {
    check_arena({"smooth",
                 dtype,
                 smooth,
                 "  minimize = f\n  start = [1.5, 1.0]",
                 80,
                 {{"newton()", "quadratic", 0, 0, "at rounding"},
                  {"gradient_descent(lr = 0.2)", "linear", 0.64, 0.05, "at rounding"}}});
  }
  const std::string banana = "fn f(w: [2]) -> [] = (1 - w[0])^2 + 100 * (w[1] - w[0]^2)^2";
  // Along the floor of the valley from afar: Newton's steps from there come to no minimum.
  check_arena({"Rosenbrock",
               "f64",
               banana,
               "  minimize = f\n  start = [-1.2, 1.0]",
               60,
               {{"sgd(lr = 0.001)", "-", 0, 0, ""}}});
  const double valley =
      501 - std::sqrt(501 * 501 - 400.0);  // the smaller eigenvalue of [[802, -400], [-400, 200]]
  check_arena({"Rosenbrock",
               "f64",
               banana,
               "  minimize = f\n  start = [1.2, 1.4]",
               20000,
               {{"sgd(lr = 0.001)", "linear", sgd_factor(0.001, valley), 0.05, ""}}});
}

/// f of the two minima below along w[0], and its second derivative.
double slope_of_wave(double x) {
  return 2 * (x - 3) + 3 * std::cos(3 * x);
}

double curvature_of_wave(double x) {
  return 2 - 9 * std::sin(3 * x);
}

TEST_CASE("a run is judged against the minimum that it goes to") {
  const std::string text = "fn f(w: [2]) -> [] = (w[0] - 3)^2 + 10 * (w[1] + 1)^2 + sin(3 * w[0])";
  double x = 1.8;
  for (int i = 0; i < 50; ++i) x -= slope_of_wave(x) / curvature_of_wave(x);
  const double other = std::pow(x - 3, 2) + std::sin(3 * x);
  const std::string remark = fmt::format("at another minimum {:.4g} (best known -0.6387)", other);
  const double factor = sgd_factor(0.01, curvature_of_wave(x));
  for (const std::string dtype : {"f64", "f32"}) {
    check_arena({"two minima",
                 dtype,
                 text,
                 "  minimize = f\n  start = [0.0, 0.0]",
                 300,
                 {{"sgd(lr = 0.01)", "linear", factor, 0.05, remark},
                  {"momentum(lr = 0.01)", "linear", 0.9, 0.25, ""}}});
  }
}

TEST_CASE("saddles: on one, past one, along its axis") {
  const std::string text = "fn f(w: [2]) -> [] = 0.25 * w[0]^4 - 0.5 * w[0]^2 + 0.5 * w[1]^2";
  check_arena({"saddle",
               "f64",
               text,
               "  minimize = f\n  start = [0.01, 1.0]",
               200,
               {{"newton()", "stalls", 0, 0, "stands on a saddle: curvatures -1 and 1"},
                {"sgd(lr = 0.1)", "linear", 0.81, 0.05, ""},
                {"rmsprop(lr = 0.02)", "jitters", 0, 0, "f - f*"},
                {"newton(damping = 1.5)", "linear", 0.36, 0.05, ""}}});
  check_arena({"open saddle",
               "f64",
               "fn f(w: [2]) -> [] = w[0]^2 - w[1]^2",
               "  minimize = f\n  start = [1.0, 0.1]",
               200,
               {{"sgd(lr = 0.1)", "-", 0, 0, ""}, {"newton()", "stalls", 0, 0, "stands on a saddle"}}});
}

TEST_CASE("|x| has no curvature, a plane no minimum, exp none at a finite place") {
  check_arena({"corner",
               "f64",
               "fn f(w: [1]) -> [] = abs(w[0])",
               "  minimize = f\n  start = [1.0]",
               200,
               {{"sgd(lr = 0.03)", "jitters", 0, 0, "loss 0.01 to 0.02"},
                {"sgd(lr = 0.001)", "-", 0, 0, "terminal velocity 0.001 a step"}}});
  check_arena(
      {"plane",
       "f64",
       "fn f(w: [2]) -> [] = 0.3 * w[0] + 0.4 * w[1]",
       "  minimize = f\n  start = [0.0, 0.0]",
       120,
       {{"sgd(lr = 0.1)", "-", 0, 0, "terminal velocity 0.05 a step, 1 times the first"},
        {"momentum(lr = 0.1, beta = 0.5)", "-", 0, 0, "terminal velocity 0.1 a step, 2 times the first"}}});
  for (const std::string dtype : {"f64", "f32"}) {
    check_arena({"exp",
                 dtype,
                 "fn f(w: [1]) -> [] = exp(-w[0])",
                 "  minimize = f\n  start = [0.0]",
                 80,
                 {{"sgd(lr = 0.1)", "-", 0, 0, ""}, {"newton()", "-", 0, 0, ""}}});
  }
}

TEST_CASE("a start at the minimum, near it, and one from which nothing moves") {
  const std::string valley = "fn f(w: [2]) -> [] = (w[0] - w[1])^2 + 1";
  check_arena({"at the minimum",
               "f64",
               valley,
               "  minimize = f\n  start = [1.0, 1.0]",
               100,
               {{"sgd(lr = 0.1)", "-", 0, 0, "starts at a minimum"},
                {"adam(lr = 0.1)", "-", 0, 0, "starts at a minimum"}}});
  check_arena({"near the minimum",
               "f64",
               valley,
               "  minimize = f\n  start = [1.0, 1.0000001]",
               12,
               {{"adam(lr = 0.1)", "too early to tell", 0, 0, ""}}});
  check_arena({"a valley",
               "f64",
               valley,
               "  minimize = f\n  start = [1.0, 3.0]",
               100,
               {{"sgd(lr = 0.1)", "linear", 0.36, 0.02, ""}, {"sgd(lr = 0.25)", "at once", 0, 0, ""}}});
  check_arena({"a plateau",
               "f64",
               "fn f(w: [1]) -> [] = relu(w[0]) + 1",
               "  minimize = f\n  start = [-1.0]",
               50,
               {{"sgd(lr = 0.1)", "stalls", 0, 0, ""}}});
  check_arena({"small steps",
               "f64",
               kRavine,
               kRavineStart,
               100,
               {{"sgd(lr = 1e-6)", "too early to tell", 0, 0, "expected R 0.9999980"}}});
  check_arena(
      {"few steps", "f64", kRavine, kRavineStart, 5, {{"sgd(lr = 0.02)", "too early to tell", 0, 0, ""}}});
}

TEST_CASE("a noisy gradient jitters, whatever the rule, in both dtypes") {
  const std::string text = R"(data cloud {
  at = [0.9, -0.7, 0.3, -0.4, 1.1, -1.2, 0.1, 0.6, -0.2, -0.5, 0.8, -0.9, 0.4, -0.1, 0.2, -0.6]
}
model point() -> [] {
  param w: [] = 3.0
  return w
}
loss distance(w: [], at: []) = 0.5 * (w - at)^2)";
  for (const std::string dtype : {"f64", "f32"}) {
    check_arena({"noise",
                 dtype,
                 text,
                 "  minimize = distance(point(), cloud.at)\n  batch = 1",
                 800,
                 {{"sgd(lr = 0.1)", "jitters", 0, 0, "f - f*"},
                  {"momentum(lr = 0.02)", "jitters", 0, 0, "f - f*"},
                  {"rmsprop(lr = 0.02)", "jitters", 0, 0, "f - f*"},
                  {"adam(lr = 0.05)", "jitters", 0, 0, "f - f*"}}});
  }
}

TEST_CASE("what is not finite is no growth; with many variables growth is seen too") {
  const std::string huber = "fn f(w: [1]) -> [] = where(abs(w[0]) < 1, 0.5 * w[0]^2, abs(w[0]) - 0.5)";
  check_arena({"Huber",
               "f64",
               huber,
               "  minimize = f\n  start = [6.0]",
               100,
               {{"newton()", "-", 0, 0, "a number is not finite: stopped"},
                {"sgd(lr = 0.5)", "linear", 0.25, 0.02, ""}}});
  check_arena({"fall",
               "f64",
               "fn f(w: [2]) -> [] = w[0]^2 - w[1]^2",
               "  minimize = f\n  start = [1.0, 0.1]",
               4000,
               {{"sgd(lr = 0.1)", "diverges", 0, 0, "the loss falls without end"}}});
  check_arena({"many",
               "f64",
               "fn f(w: [n]) -> [] = sum(w^2)",
               "  minimize = f\n  start = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]",
               60,
               {{"sgd(lr = 1.1)", "diverges", 0, 0, "the loss grows without end"},
                {"sgd(lr = 0.1)", "-", 0, 0, ""}}});
}

TEST_CASE("a target is met when the loss over all rows is below it, not that of a batch") {
  const TempFolder folder;
  const std::string path = folder.write("race.dlg", R"(dlg 1
use f64
data cloud { at = [-3.0, -3.0, -3.0, 3.0, 3.0, 3.0] }
model point() -> [] {
  param w: [] = -3.0
  return w
}
loss distance(w: [], at: []) = 0.5 * (w - at)^2
race "two heaps" {
  minimize = distance(point(), cloud.at)
  with     = [sgd(lr = 1)]
  batch    = 1
  shuffle  = none
  stop     = [loss < 4, 50 steps]
}
)");
  const Called called = call_dlg({"race", path, "--out", folder.file("out")});
  INFO(called.out);
  INFO(called.err);
  REQUIRE(called.exit_code == 0);
  // Each step goes to the row that it saw, so one in six has a loss. Over all rows it is 4.5 at the least.
  CHECK(called.out.find("never") != std::string::npos);
  CHECK(called.out.find("stopped by the mean loss of its batches") != std::string::npos);
}

/// AdaGrad in one dimension: its steps tend to lr / sqrt(sum of g^2), and its rate to that of such a step.
double adagrad_factor(double lr, double curvature, double start) {
  double x = start;
  double r = 0;
  for (int k = 0; k < 100'000; ++k) {
    const double g = curvature * x;
    r += g * g;
    x -= lr * g / (1e-7 + std::sqrt(r));
  }
  return sgd_factor(lr / std::sqrt(r), curvature);
}

TEST_CASE("AdaGrad comes to a linear rate: that of the step which its sum leaves") {
  for (const std::string dtype : {"f64", "f32"}) {
    check_arena({"AdaGrad",
                 dtype,
                 "fn f(w: [1]) -> [] = 1.5 * w[0]^2 + 2",
                 "  minimize = f\n  start = [2.0]",
                 120,
                 {{"adagrad(lr = 0.5)", "linear", adagrad_factor(0.5, 3, 2), 0.05, ""}}});
  }
}

}  // namespace
