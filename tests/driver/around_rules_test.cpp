// Owns the proof of the settings around a rule: clipping, decay by group, frozen parameters, accumulation,
// averages.
#include <cmath>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

using Theta = std::array<double, 3>;  // W[0, 0], W[0, 1], b

constexpr double kX[5][2] = {{0.0, 0.5}, {1.0, -0.5}, {-1.0, 0.25}, {0.5, 1.0}, {2.0, -1.0}};
constexpr double kT[5] = {0.1, 0.9, -0.4, 0.7, 3.0};
constexpr Theta kStart{0.3, -0.2, 0.1};

std::string program(const std::string& settings) {
  return R"(dlg 1
use f64
dim inp = 2
dim out = 1
data points {
  x = [[0.0, 0.5], [1.0, -0.5], [-1.0, 0.25], [0.5, 1.0], [2.0, -1.0]]
  t = [[0.1], [0.9], [-0.4], [0.7], [3.0]]
}
model line(x: [inp]) -> [out] {
  param W: [out, inp] = [[0.3, -0.2]]
  param b: [out] = 0.1
  return W @ x + b
}
fn halved(g) = 0.5 * g
train {
  minimize = sum_squares(line(points.x), points.t)
  stop     = [100 steps]
  shuffle  = none
)" + settings +
         "\n}\n";
}

/// The mean gradient over some rows of (W x + b - t)^2.
Theta gradient_at(const Theta& theta, const std::vector<int>& rows) {
  Theta gradient{};
  for (const int row : rows) {
    const double y = theta[0] * kX[row][0] + theta[1] * kX[row][1] + theta[2];
    const double dy = 2 * (y - kT[row]) / static_cast<double>(rows.size());
    gradient[0] += dy * kX[row][0];
    gradient[1] += dy * kX[row][1];
    gradient[2] += dy;
  }
  return gradient;
}

Theta gradient_at(const Theta& theta) {
  return gradient_at(theta, {0, 1, 2, 3, 4});
}

Theta weights_of(const StateValues& states, const std::string& suffix = "") {
  const std::vector<double>& w = states.at("line.W" + suffix);
  return {w[0], w[1], states.at("line.b" + suffix)[0]};
}

void check_near(const Theta& actual, const Theta& expected, int step) {
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(step, i, actual[i], expected[i]);
    CHECK(std::abs(actual[i] - expected[i]) <= 1e-13 * step);
  }
}

/// `update` makes one update; weights are compared after each of 40, in compiled code and in the interpreter.
void compare(const std::string& settings, const std::function<void(Theta&, int step)>& update) {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("line.dlg", program(settings)));
  INFO(settings << loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  const std::unique_ptr<Laboratory> reference = loaded.reference();
  Theta theta = kStart;
  for (int step = 1; step <= 40; ++step) {
    update(theta, step);
    check_near(weights_of(*compiled->train(step)), theta, step);
  }
  check_near(weights_of(*reference->train(40)), theta, 40);
}

TEST_CASE("clip: each value") {
  compare("  optimizer = sgd(lr = 0.05)\n  clip = each_value(0.3)", [](Theta& theta, int) {
    const Theta g = gradient_at(theta);
    for (std::size_t i = 0; i < 3; ++i) theta[i] -= 0.05 * std::max(-0.3, std::min(0.3, g[i]));
  });
}

TEST_CASE("clip: the norm of each parameter") {
  compare("  optimizer = sgd(lr = 0.05)\n  clip = each_norm(0.3)", [](Theta& theta, int) {
    const Theta g = gradient_at(theta);
    const double of_w = std::min(1.0, 0.3 / std::sqrt(g[0] * g[0] + g[1] * g[1]));
    const double of_b = std::min(1.0, 0.3 / std::abs(g[2]));
    for (std::size_t i = 0; i < 3; ++i) theta[i] -= 0.05 * (i < 2 ? of_w : of_b) * g[i];
  });
}

TEST_CASE("clip: the norm of all together, then decay, then the rule") {
  compare("  optimizer = sgd(lr = 0.05)\n  clip = global_norm(0.5)\n  weight_decay = coupled(0.1)",
          [](Theta& theta, int) {
            const Theta g = gradient_at(theta);
            const double norm = std::sqrt(g[0] * g[0] + g[1] * g[1] + g[2] * g[2]);
            for (std::size_t i = 0; i < 3; ++i) {
              theta[i] -= 0.05 * (std::min(1.0, 0.5 / norm) * g[i] + 0.1 * theta[i]);
            }
          });
}

TEST_CASE("clip: a norm of 0 changes nothing") {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("flat.dlg", R"(dlg 1
use f64
model flat() -> [] {
  param p: [] = 2
  return 0 * p
}
train {
  minimize  = flat()
  optimizer = sgd(lr = 0.1)
  clip      = global_norm(1.0)
  stop      = [3 steps]
}
)"));
  REQUIRE(loaded.is_ok());
  CHECK(loaded.compiled()->train(3)->at("flat.p").front() == 2);
}

TEST_CASE("clip: a function of the user's own") {
  compare("  optimizer = sgd(lr = 0.05)\n  clip = halved", [](Theta& theta, int) {
    const Theta g = gradient_at(theta);
    for (std::size_t i = 0; i < 3; ++i) theta[i] -= 0.05 * (0.5 * g[i]);
  });
}

TEST_CASE("clip: a function with types is applied to each gradient, in the type of the program") {
  const TempFolder folder;
  std::string text = program("  optimizer = sgd(lr = 0.5)\n  clip = relu");
  text.replace(text.find("use f64"), 7, "use f32");
  LoadedProgram loaded(folder.write("line.dlg", text));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const Theta g = gradient_at(kStart);
  const Theta after = weights_of(*loaded.compiled()->train(1));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(after[i] == Approx(kStart[i] - 0.5 * std::max(0.0, g[i])).epsilon(1e-6));
  }
}

TEST_CASE("groups: rates and decay of their own, the last group counts") {
  compare(R"(  optimizer = sgd(lr = 0.05)
  weight_decay = decoupled(0.2)
  groups = [group(line, lr = 0.5), group("*.b", weight_decay = 0), group(line.W, lr = 0.01)])",
          [](Theta& theta, int) {
            const Theta g = gradient_at(theta);
            for (std::size_t i = 0; i < 2; ++i) theta[i] -= 0.01 * g[i] + 0.01 * 0.2 * theta[i];
            theta[2] -= 0.5 * g[2];
          });
}

TEST_CASE("groups: a schedule of their own") {
  compare("  optimizer = sgd(lr = 0.05)\n  groups = [group(line.b, lr = exponential(0.1, factor = 0.9))]",
          [](Theta& theta, int step) {
            const Theta g = gradient_at(theta);
            for (std::size_t i = 0; i < 2; ++i) theta[i] -= 0.05 * g[i];
            theta[2] -= 0.1 * std::pow(0.9, step - 1) * g[2];
          });
}

TEST_CASE("frozen parameters keep their values and do not count in the norm of all") {
  compare("  optimizer = momentum(lr = 0.05)\n  freeze = [line.b]\n  clip = global_norm(0.5)",
          [v = Theta{}](Theta& theta, int) mutable {
            const Theta g = gradient_at(theta);
            const double scale = std::min(1.0, 0.5 / std::sqrt(g[0] * g[0] + g[1] * g[1]));
            for (std::size_t i = 0; i < 2; ++i) {
              v[i] = 0.9 * v[i] + 0.05 * (scale * g[i]);
              theta[i] -= v[i];
            }
          });
}

TEST_CASE(
    "accumulation: an update is the mean over the rows of its micro-batches, over the end of an epoch too") {
  const std::vector<std::vector<int>> updates{{0, 1, 2, 3}, {4, 0, 1}, {2, 3, 4}};
  compare("  optimizer = nesterov(lr = 0.05, beta = 0.5)\n  batch = 2\n  accumulate = 2",
          [&, v = Theta{}](Theta& theta, int step) mutable {
            Theta ahead = theta;
            for (std::size_t i = 0; i < 3; ++i) ahead[i] -= 0.5 * v[i];
            const Theta g = gradient_at(ahead, updates[static_cast<std::size_t>((step - 1) % 3)]);
            for (std::size_t i = 0; i < 3; ++i) {
              v[i] = 0.5 * v[i] + 0.05 * g[i];
              theta[i] -= v[i];
            }
          });
}

TEST_CASE("accumulation: steps are updates, in reports and in step") {
  const EmptyWorkingFolder folder;
  std::ofstream("line.dlg", std::ios::binary)
      << program("  optimizer = adam(lr = 0.05)\n  batch = 1\n  accumulate = 4");
  const Called called = call_dlg({"train", "line.dlg", "--quiet"});
  CAPTURE(called.err, called.out);
  REQUIRE(called.exit_code == 0);
  CHECK(called.out.find("stopped after 80 epochs, 100 steps: the limit of steps") != std::string::npos);
}

TEST_CASE("averages of weights begin as the weights and follow them") {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("line.dlg", program("  optimizer = sgd(lr = 0.05)\n  ema = 0.9")));
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  Theta theta = kStart, average = kStart;
  for (int step = 1; step <= 40; ++step) {
    const Theta g = gradient_at(theta);
    for (std::size_t i = 0; i < 3; ++i) {
      theta[i] -= 0.05 * g[i];
      average[i] = 0.9 * average[i] + 0.1 * theta[i];
    }
    check_near(weights_of(*compiled->train(step), ".ema"), average, step);
  }
}

/// The digits with everything at once; 200 updates in compiled code and in the f64 interpreter.
void compare_digits(const std::string& dtype, double tolerance) {
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"new", "digits"}).exit_code == 0);
  std::string text = read_text("digits/mlp.dlg");
  const std::string optimizer = "  optimizer = adam(lr = 2e-3)\n  batch     = 32\n";
  text.replace(text.find(optimizer), optimizer.size(),
               "  optimizer = adam(lr = cosine(4e-3, warmup = 20 steps))\n  clip = global_norm(0.5)\n"
               "  accumulate = 4\n  ema = 0.95\n  batch = 8\n");
  text.replace(text.find("dlg 1\n"), 6, "dlg 1\nuse " + dtype + "\n");
  std::ofstream("digits/all.dlg", std::ios::binary) << text;
  LoadedProgram loaded("digits/all.dlg", {{"stop", "200 steps"}});
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const StateValues compiled = *loaded.compiled()->train(200);
  const StateValues reference = *loaded.reference()->train(200);
  CHECK(compiled.at("step").front() == 200);
  REQUIRE(compiled.size() == reference.size());
  for (const auto& [path, values] : reference) {
    double scale = 0, worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      scale = std::max(scale, std::abs(values[i]));
      worst = std::max(worst, std::abs(values[i] - compiled.at(path)[i]));
    }
    CAPTURE(path, scale, worst);
    CHECK(worst <= tolerance * scale);
  }
}

TEST_CASE("clipping, accumulation, averages and a schedule together on digits: the interpreter agrees") {
  compare_digits("f64", 1e-9);
  compare_digits("f32", 5e-3);
}

}  // namespace
