// Owns the proof that optimizers as text do what their formulas say: each rule of std against plain C++ in
// f64 and against traces of PyTorch, Keras and Optax, over 1,000 steps.
#include <fmt/format.h>

#include <cmath>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"
#include "tests/driver/rule_references.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr double kX[4][2] = {{0.0, 0.5}, {1.0, -0.5}, {-1.0, 0.25}, {0.5, 1.0}};
constexpr double kT[4] = {0.1, 0.9, -0.4, 0.7};
constexpr Theta kStart{0.3, -0.2, 0.1};
constexpr int kSteps = 1000;
constexpr int kWarmUp = 100;

const char* const kProblem = R"(dlg 1
use f64
dim inp = 2
dim out = 1
data points {
  x = [[0.0, 0.5], [1.0, -0.5], [-1.0, 0.25], [0.5, 1.0]]
  t = [[0.1], [0.9], [-0.4], [0.7]]
}
model line(x: [inp]) -> [out] {
  param W: [out, inp] = [[0.3, -0.2]]
  param b: [out] = 0.1
  return W @ x + b
}
)";

/// The gradient of the mean over rows of (W x + b - t)^2.
Theta gradient_at(const Theta& theta) {
  Theta gradient{};
  for (int row = 0; row < 4; ++row) {
    const double y = theta[0] * kX[row][0] + theta[1] * kX[row][1] + theta[2];
    const double dy = 2 * (y - kT[row]) / 4;
    gradient[0] += dy * kX[row][0];
    gradient[1] += dy * kX[row][1];
    gradient[2] += dy;
  }
  return gradient;
}

std::string program_with(const std::string& rules, const std::string& settings) {
  return std::string(kProblem) + rules + "train {\n  minimize = sum_squares(line(points.x), points.t)\n" +
         settings + fmt::format("\n  stop = [{} steps]\n}}\n", kSteps);
}

/// What stands around a rule in one comparison.
struct Around {
  std::string settings;
  std::function<double(double lr, int step)> rate = [](double lr, int) { return lr; };
  double coupled = 0;
  double decoupled = 0;
};

/// Steps at which weights are compared: each of the first, then some.
bool is_compared(int step) {
  return step <= 12 || step == 50 || step == kWarmUp || step == kWarmUp + 1 || step % 333 == 0 ||
         step == kSteps;
}

void compare(const std::string& program, const RuleReference& reference, const Around& around) {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("line.dlg", program));
  INFO(program << loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  const Gradient gradient = [&](const Theta& point) {
    Theta result = gradient_at(point);
    for (std::size_t i = 0; i < 3; ++i) result[i] += around.coupled * point[i];
    return result;
  };
  RuleState state;
  state.theta = kStart;
  for (int step = 1; step <= kSteps; ++step) {
    const double lr = around.rate(reference.lr, step);
    const Theta before = state.theta;
    reference.update(state, gradient, step, lr);
    for (std::size_t i = 0; i < 3; ++i) state.theta[i] -= lr * around.decoupled * before[i];
    if (!is_compared(step)) continue;
    const StateValues states = *compiled->train(step);
    const Theta actual{states.at("line.W")[0], states.at("line.W")[1], states.at("line.b")[0]};
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(step, i, actual[i], state.theta[i]);
      CHECK(std::abs(actual[i] - state.theta[i]) <= 1e-12 * step * std::max(1.0, std::abs(state.theta[i])));
    }
  }
}

std::string call_of(const RuleReference& rule, const std::string& rate) {
  return fmt::format("  optimizer = {}(lr = {}{})", rule.name, rate, rule.arguments);
}

/// lr k / warmup, then half a cosine to 0 in the last step.
double cosine(double lr, int step) {
  if (step <= kWarmUp) return lr * step / kWarmUp;
  return lr / 2 * (1 + std::cos(std::acos(-1.0) * (step - kWarmUp) / (kSteps - kWarmUp)));
}

TEST_CASE("every rule of std follows its formula") {
  for (const RuleReference& rule : rule_references()) {
    compare(program_with("", call_of(rule, fmt::format("{}", rule.lr))), rule, {});
  }
}

TEST_CASE("every rule of std follows its formula with a schedule and coupled weight decay") {
  Around around;
  around.rate = cosine;
  around.coupled = 0.03;
  for (const RuleReference& rule : rule_references()) {
    const std::string rate = fmt::format("cosine({}, warmup = {} steps)", rule.lr, kWarmUp);
    compare(program_with("", call_of(rule, rate) + "\n  weight_decay = coupled(0.03)"), rule, around);
  }
}

TEST_CASE("every rule of std follows its formula with decoupled weight decay") {
  Around around;
  around.decoupled = 0.03;
  for (const RuleReference& rule : rule_references()) {
    const std::string rate = fmt::format("{}", rule.lr);
    compare(program_with("", call_of(rule, rate) + "\n  weight_decay = decoupled(0.03)"), rule, around);
  }
}

TEST_CASE("every rule of std has a reference") {
  // The one of second order is compared with dual numbers of dual numbers in second_derivatives_test.cpp.
  std::set<std::string> known{"newton"};
  for (const RuleReference& rule : rule_references()) {
    const std::size_t like = rule.arguments.find("like = ");
    known.insert(like == std::string::npos ? rule.name : rule.name + "_" + rule.arguments.substr(like + 7));
  }
  for (const char* file : {"std/optimizers.dlg", "std/optimizer_flavours.dlg"}) {
    std::istringstream lines(read_text(source_path(file)));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("optimizer ")) continue;
      const std::string name = line.substr(10, line.find('(') - 10);
      CAPTURE(name);
      CHECK(known.count(name) == 1);
    }
  }
}

struct TraceRow {
  std::string rule;
  std::string framework;
  int step = 0;
  Theta theta{};
};

std::vector<TraceRow> traces() {
  std::istringstream lines(read_text(source_path("tests/traces/traces.csv")));
  std::vector<TraceRow> rows;
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::vector<std::string> cells;
    std::istringstream cell_stream(line);
    for (std::string cell; std::getline(cell_stream, cell, ';');) cells.push_back(cell);
    REQUIRE(cells.size() == 6);
    rows.push_back({cells[0],
                    cells[1],
                    std::stoi(cells[2]),
                    {leading_number(cells[3]), leading_number(cells[4]), leading_number(cells[5])}});
  }
  return rows;
}

TEST_CASE("rules agree with the traces of PyTorch, Keras and Optax") {
  const TempFolder folder;
  std::map<std::string, std::unique_ptr<LoadedProgram>> programs;
  std::map<std::string, std::unique_ptr<Laboratory>> laboratories;
  const std::vector<TraceRow> rows = traces();
  REQUIRE(rows.size() > 100);
  for (const TraceRow& row : rows) {
    if (laboratories.count(row.rule) == 0) {
      std::string settings = "  optimizer = " + row.rule;
      const std::size_t bar = settings.find(" | ");
      if (bar != std::string::npos) settings.replace(bar, 3, "\n  ");
      const std::string text = program_with("", settings);
      programs[row.rule] = std::make_unique<LoadedProgram>(folder.write("line.dlg", text));
      CAPTURE(text, programs[row.rule]->errors());
      REQUIRE(programs[row.rule]->is_ok());
      laboratories[row.rule] = programs[row.rule]->compiled();
    }
    const StateValues states = *laboratories[row.rule]->train(row.step);
    const Theta actual{states.at("line.W")[0], states.at("line.W")[1], states.at("line.b")[0]};
    for (std::size_t i = 0; i < 3; ++i) {
      CAPTURE(row.rule, row.framework, row.step, i, actual[i], row.theta[i]);
      CHECK(std::abs(actual[i] - row.theta[i]) <= 1e-12 * row.step);
    }
  }
}

TEST_CASE("a rule of the user with two states, a local name, step in an exponent and a shifted point") {
  const std::string rule = R"(optimizer mine(lr, rho = 0.9, decay = 0.99, delta = 1e-8) {
  require lr > 0
  state s = 0
  state r = 0
  g = grad(theta - lr * s)
  s <- rho * s + (1 - rho) * g
  r <- decay * r + (1 - decay) * g^2
  theta <- theta - lr * (s / (1 - rho^step)) / (sqrt(r / (1 - decay^step)) + delta)
}
)";
  const RuleReference mine{
      "mine", "", 0.001, [](RuleState& s, const Gradient& gradient, int step, double lr) {
        Theta ahead = s.theta;
        for (std::size_t i = 0; i < 3; ++i) ahead[i] -= lr * s.first[i];
        const Theta g = gradient(ahead);
        for (std::size_t i = 0; i < 3; ++i) {
          s.first[i] = 0.9 * s.first[i] + (1 - 0.9) * g[i];
          s.second[i] = 0.99 * s.second[i] + (1 - 0.99) * g[i] * g[i];
          const double r = s.second[i] / (1 - std::pow(0.99, step));
          s.theta[i] -= lr * (s.first[i] / (1 - std::pow(0.9, step))) / (std::sqrt(r) + 1e-8);
        }
      }};
  compare(program_with(rule, "  optimizer = mine(lr = 0.001)"), mine, {});
}

TEST_CASE("std's adam copied under another name gives the same bits") {
  const std::string copy = R"(optimizer my_adam(lr = 1e-3, rho1 = 0.9, rho2 = 0.999, delta = 1e-8) {
  state s = 0
  state r = 0
  s <- rho1 * s + (1 - rho1) * grad(theta)
  r <- rho2 * r + (1 - rho2) * grad(theta)^2
  c = sqrt(1 - rho2^step)
  theta <- theta - lr * c / (1 - rho1^step) * s / (sqrt(r) + delta * c)
}
)";
  const TempFolder folder;
  LoadedProgram original(folder.write("a.dlg", program_with("", "  optimizer = adam(lr = 0.02)")));
  LoadedProgram copied(folder.write("b.dlg", program_with(copy, "  optimizer = my_adam(lr = 0.02)")));
  INFO(copied.errors());
  REQUIRE(copied.is_ok());
  CHECK(*original.compiled()->train(100) == *copied.compiled()->train(100));
}

TEST_CASE(
    "a gradient that has always been 0: printed rmsprop with nesterov divides 0 by 0, the default does not") {
  const std::string still = R"(dlg 1
use f64
model point() -> [] {
  param moving: [] = 1
  param still: [] = 1
  return moving^2 + 0 * still
}
train {
  minimize  = point()
  optimizer = )";
  const TempFolder folder;
  LoadedProgram safe(
      folder.write("safe.dlg", still + "rmsprop_nesterov(lr = 0.01)\n  stop = [3 steps]\n}\n"));
  LoadedProgram printed(
      folder.write("printed.dlg", still + "rmsprop_nesterov_printed(lr = 0.01)\n  stop = [3 steps]\n}\n"));
  CHECK(safe.compiled()->train(1)->at("point.still").front() == 1);
  // A parameter that is not finite: no update counts.
  CHECK_FALSE(printed.compiled()->train(1).has_value());
}

}  // namespace
