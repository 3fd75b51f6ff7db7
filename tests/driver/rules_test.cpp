// Owns the proof that optimizers as text do what their formulas say: each rule against plain C++ in f64, step
// by step.
#include <array>
#include <cmath>
#include <functional>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

using Theta = std::array<double, 3>;  // W[0, 0], W[0, 1], b

constexpr double kX[4][2] = {{0.0, 0.5}, {1.0, -0.5}, {-1.0, 0.25}, {0.5, 1.0}};
constexpr double kT[4] = {0.1, 0.9, -0.4, 0.7};
constexpr Theta kStart{0.3, -0.2, 0.1};

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

/// One update in plain C++: theta, two slots of memory, the step from 1.
using Rule = std::function<void(Theta& theta, Theta& first, Theta& second, int step)>;

std::string program_with(const std::string& rules, const std::string& optimizer) {
  return std::string(kProblem) + rules +
         "train {\n  minimize = sum_squares(line(points.x), points.t)\n  optimizer = " + optimizer +
         "\n  stop = [100 steps]\n}\n";
}

void compare(const std::string& rules, const std::string& optimizer, const Rule& rule) {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("line.dlg", program_with(rules, optimizer)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  Theta theta = kStart;
  Theta first{};
  Theta second{};
  for (int step = 1; step <= 100; ++step) {
    rule(theta, first, second, step);
    if (step > 5 && step % 19 != 0) continue;
    const StateValues states = *compiled->train(step);
    const Theta actual{states.at("line.W")[0], states.at("line.W")[1], states.at("line.b")[0]};
    for (int i = 0; i < 3; ++i) {
      CAPTURE(step, i);
      CHECK(std::abs(actual[i] - theta[i]) <= 1e-12 * step * std::max(1.0, std::abs(theta[i])));
    }
  }
}

void adam_step(Theta& theta, Theta& s, Theta& r, int step, double lr) {
  const Theta g = gradient_at(theta);
  for (int i = 0; i < 3; ++i) {
    s[i] = 0.9 * s[i] + (1 - 0.9) * g[i];
    r[i] = 0.999 * r[i] + (1 - 0.999) * g[i] * g[i];
    const double s_hat = s[i] / (1 - std::pow(0.9, step));
    const double r_hat = r[i] / (1 - std::pow(0.999, step));
    theta[i] -= lr * s_hat / (std::sqrt(r_hat) + 1e-8);
  }
}

TEST_CASE("sgd follows its formula") {
  compare("", "sgd(lr = 0.1)", [](Theta& theta, Theta&, Theta&, int) {
    const Theta g = gradient_at(theta);
    for (int i = 0; i < 3; ++i) theta[i] -= 0.1 * g[i];
  });
}

TEST_CASE("momentum follows its formula") {
  compare("", "momentum(lr = 0.05)", [](Theta& theta, Theta& v, Theta&, int) {
    const Theta g = gradient_at(theta);
    for (int i = 0; i < 3; ++i) {
      v[i] = 0.9 * v[i] + 0.05 * g[i];
      theta[i] -= v[i];
    }
  });
}

TEST_CASE("nesterov takes the gradient at the look-ahead point of all parameters") {
  compare("", "nesterov(lr = 0.05, beta = 0.8)", [](Theta& theta, Theta& v, Theta&, int) {
    Theta ahead = theta;
    for (int i = 0; i < 3; ++i) ahead[i] -= 0.8 * v[i];
    const Theta g = gradient_at(ahead);
    for (int i = 0; i < 3; ++i) {
      v[i] = 0.8 * v[i] + 0.05 * g[i];
      theta[i] -= v[i];
    }
  });
}

TEST_CASE("adam follows its formula") {
  compare("", "adam(lr = 0.02)",
          [](Theta& theta, Theta& s, Theta& r, int step) { adam_step(theta, s, r, step, 0.02); });
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
  compare(rule, "mine(lr = 0.05)", [](Theta& theta, Theta& s, Theta& r, int step) {
    Theta ahead = theta;
    for (int i = 0; i < 3; ++i) ahead[i] -= 0.05 * s[i];
    const Theta g = gradient_at(ahead);
    for (int i = 0; i < 3; ++i) {
      s[i] = 0.9 * s[i] + (1 - 0.9) * g[i];
      r[i] = 0.99 * r[i] + (1 - 0.99) * g[i] * g[i];
      theta[i] -=
          0.05 * (s[i] / (1 - std::pow(0.9, step))) / (std::sqrt(r[i] / (1 - std::pow(0.99, step))) + 1e-8);
    }
  });
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
  LoadedProgram original(folder.write("a.dlg", program_with("", "adam(lr = 0.02)")));
  LoadedProgram copied(folder.write("b.dlg", program_with(copy, "my_adam(lr = 0.02)")));
  INFO(copied.errors());
  REQUIRE(copied.is_ok());
  CHECK(*original.compiled()->train(100) == *copied.compiled()->train(100));
}

}  // namespace
