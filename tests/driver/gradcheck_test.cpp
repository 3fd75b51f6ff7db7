// Owns the promises of `dlg gradcheck`: losses that hold derivatives, kinks, and that a wrong derivative
// fails, at a kink too.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "driver/step/loss_probe.h"
#include "support/wake_defect.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// A program without data whose loss is `loss`, a function of `f.w`.
std::string program_of(const std::string& parameter, const std::string& loss) {
  return fmt::format(R"(dlg 1
use f64
model f() -> [] {{
  param {}
  return {}
}}
train {{
  minimize  = f()
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}}
)",
                     parameter, loss);
}

Called gradcheck(const std::string& text) {
  const TempFolder folder;
  return call_dlg({"gradcheck", folder.write("net.dlg", text)});
}

constexpr const char* kDerivatives = R"(dlg 1
use f64
data points {
  x = [[0.3, -0.7], [1.1, 0.4]]
  t = [0.5, -0.25]
}
model net(x: [2]) -> [] {
  param W: [3, 2] = [[0.4, -0.3], [0.8, 0.5], [-0.6, 0.7]]
  return sum(tanh(W @ x))
}
loss penalised(x: [2], t: []) {
  y = net(x)
  slope = grad(y, x)
  return (y - t)^2 + 0.1 * sum(slope^2)
}
model bowl() -> [] {
  param w: [2] = [1.0, -2.0]
  const v: [2] = [1.0, 0.5]
  f = w[0]^2 * w[1] + w[1]^3
  g = grad(f, w)
  product = grad(sum(g * v), w)
  return f
}
train {
  minimize  = penalised(points.x, points.t) + bowl()
  optimizer = sgd(lr = 0.01)
  stop      = [10 steps]
}
check "second derivatives" {
  expect bowl.product[0] ~ -3 +- 1e-12
  expect bowl.product[1] ~ -4 +- 1e-12
}
)";

/// The gradient penalty of a critic.
constexpr const char* kPenalty = R"(dlg 1
use f64
data d {
  x = [[0.3, -0.2], [1.0, 2.0]]
}
model D(x: [2]) -> [] {
  param w: [2] = [0.4, 0.3]
  return sum(sin(w * x))
}
loss gp(x: [2]) -> [] {
  y = D(x)
  g = grad(y, x)
  return (sqrt(sum(g^2)) - 1)^2 - y
}
train {
  minimize = gp(d.x)
  optimizer = sgd(lr = 0.1)
  stop = [2 steps]
}
)";

/// A derivative of a derivative inside of the loss, by data and by parameters, in a function.
constexpr const char* kNested = R"(dlg 1
use f64
data d {
  x = [0.3, -0.4, 0.9]
}
model net(x: []) -> [] {
  param w: [4] = [0.3, -0.6, 0.5, 0.2]
  param v: [4] = [0.7, 0.1, -0.2, 0.5]
  return sum(v * tanh(w * x))
}
fn curvature(y: [], x: []) -> [] = grad(grad(y, x), x)
loss residual(x: []) -> [] {
  y = net(x)
  return (curvature(y, x) + sin(x))^2 + 0.1 * y^2
}
train {
  minimize  = residual(d.x)
  optimizer = adam(lr = 0.01)
  stop      = [3 steps]
}
)";

/// A Hessian times a vector, and the norm of a gradient by the parameters, in the loss itself.
constexpr const char* kProduct = R"(dlg 1
use f64
model bowl() -> [] {
  param w: [2] = [1.0, -2.0]
  const v: [2] = [1.0, 0.5]
  f = w[0]^2 * w[1] + exp(w[1])
  g = grad(f, w)
  return f^2 + sum(grad(sum(g * v), w)^2) + 0.1 * sum(g^2)
}
train {
  minimize  = bowl()
  optimizer = sgd(lr = 0.01)
  stop      = [3 steps]
}
)";

TEST_CASE("a loss that holds derivatives is checked, in f64 and in f32") {
  for (const char* program : {kDerivatives, kPenalty, kNested, kProduct}) {
    for (const bool is_f32 : {false, true}) {
      std::string text = program;
      if (is_f32) text.erase(text.find("use f64\n"), 8);
      const Called called = gradcheck(text);
      CAPTURE(text, called.out, called.err);
      CHECK(called.exit_code == 0);
      CHECK(contains(called.out, "ok: differences at most"));
      CHECK_FALSE(contains(called.out, "kink"));
    }
  }
}

TEST_CASE("every look at a step takes a loss that holds derivatives") {
  for (const char* program : {kDerivatives, kPenalty, kNested, kProduct}) {
    const TempFolder folder;
    const std::string path = folder.write("net.dlg", program);
    const bool is_bowl = contains(program, "model bowl");
    const std::string element = is_bowl ? "bowl.w[0]" : contains(program, "model D") ? "D.w[0]" : "net.w[0]";
    CAPTURE(program);
    for (const std::vector<std::string>& words : {std::vector<std::string>{"check", path},
                                                  {"check", path, "--engine", "interpreter"},
                                                  {"step", path},
                                                  {"step", path, "--engine", "interpreter"},
                                                  {"step", path, "--why", element}}) {
      const Called called = call_dlg(words);
      CAPTURE(words, called.out, called.err);
      CHECK(called.exit_code == 0);
    }
  }
}

TEST_CASE("at a kink the slopes of both sides are told, and any derivative between them passes") {
  struct Case {
    const char* parameter;
    const char* loss;
    const char* told;
  };
  for (const Case& c :
       {Case{"w: [] = 0", "relu(w)", "f.w: one-sided slopes 0 and 1 differ: a kink; the derivative 0 fits"},
        Case{"w: [] = 0", "abs(w) + 3 * w",
             "f.w: one-sided slopes 2 and 4 differ: a kink; the derivative 3 fits"},
        Case{"w: [2] = [1, 0]", "w[0]^2 + leaky_relu(w[1])",
             "f.w[1]: one-sided slopes 0.01 and 1 differ: a kink; the derivative 0.01 fits"},
        Case{"w: [2, 2] = [[1, 2], [3, 3]]", "max(w)",
             "f.w[1, 0]: one-sided slopes 0 and 1 differ: a kink; the derivative"},
        Case{"w: [] = 2", "1000 * relu(w - 2) + w",
             "f.w: one-sided slopes 1 and 1001 differ: a kink; the derivative 1 fits"},
        Case{"w: [] = 0", "sign(w) + w",
             "f.w: the loss jumps, with slopes 1 and 1 beside it; the derivative 1 fits"}}) {
    const Called called = gradcheck(program_of(c.parameter, c.loss));
    CAPTURE(c.loss, called.out, called.err);
    CHECK(called.exit_code == 0);
    CHECK(contains(called.out, c.told));
    CHECK(contains(called.out, "  kink\n"));
  }
}

TEST_CASE("where there is no derivative none has to be given, but a number that is none fails elsewhere") {
  // The norm of what is 0: a cone.
  const Called cone = gradcheck(program_of("w: [2] = 0", "(sqrt(sum(w^2)) - 1)^2"));
  CAPTURE(cone.out);
  CHECK(cone.exit_code == 0);
  CHECK(
      contains(cone.out,
               "f.w[0]: one-sided slopes 2 and -2 differ: a kink; there is no derivative, and nan is given"));
  for (const char* loss : {"sqrt(w^2 * 0) + w", "sqrt(w - 1)"}) {
    const Called smooth = gradcheck(program_of("w: [] = 1", loss));
    CAPTURE(loss, smooth.out);
    CHECK(smooth.exit_code == 4);
  }
}

TEST_CASE("near a kink a derivative is that of its own side") {
  for (const char* start : {"1e-3", "1e-4", "1e-5", "-1e-4", "-1e-5", "0.0019"}) {
    for (const char* loss : {"relu(w) + w", "abs(w)", "relu(w)^2 + w", "where(w > 0, 2 * w, sin(w)) + w^2"}) {
      const Called called = gradcheck(program_of(fmt::format("w: [] = {}", start), loss));
      CAPTURE(start, loss, called.out, called.err);
      CHECK(called.exit_code == 0);
    }
  }
}

TEST_CASE("where only a few entries lie at kinks they alone are told") {
  const Called called = gradcheck(program_of("w: [6] = [0, 1, 0, -1, 0, 0]", "sum(relu(w))"));
  CAPTURE(called.out);
  CHECK(called.exit_code == 0);
  for (const char* told : {"f.w[0]: one", "f.w[2]: one", "f.w[4]: one", "f.w: 1 more at a kink"}) {
    CHECK(contains(called.out, told));
  }
  CHECK_FALSE(contains(called.out, "f.w[1]"));
}

/// The loss of `text` at its initial values.
double distance_of(const std::string& text, double derivative) {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("net.dlg", text));
  CAPTURE(loaded.errors());
  REQUIRE(loaded.is_ok());
  LossProbe probe(loaded.setup());
  const StateValues states = loaded.reference()->initial();
  return probe.compare(states, {"f.w", 0}, derivative, 1e-6).distance;
}

TEST_CASE("a derivative that is not between the slopes is as far from them as it is") {
  const std::string kink = program_of("w: [] = 0", "relu(w) + 3 * w");
  CHECK(distance_of(kink, 3) < 1e-6);
  CHECK(distance_of(kink, 3.5) < 1e-6);
  CHECK(distance_of(kink, 4) < 1e-6);
  CHECK(distance_of(kink, 2) == Approx(1).margin(1e-5));
  CHECK(distance_of(kink, 4.25) == Approx(0.25).margin(1e-5));
  CHECK(distance_of(kink, -3) == Approx(6).margin(1e-5));
  // A little beside the kink there is one derivative only.
  for (const char* start : {"1e-3", "1e-4", "1e-5", "3e-6"}) {
    const std::string beside = program_of(fmt::format("w: [] = {}", start), "relu(w) + 3 * w");
    CAPTURE(start);
    CHECK(distance_of(beside, 4) < 1e-6);
    CHECK(distance_of(beside, 3.5) == Approx(0.5).margin(1e-4));
  }
  const std::string jump = program_of("w: [] = 0", "where(w > 0, 1, 0) + 2 * w");
  CHECK(distance_of(jump, 2) < 1e-6);
  CHECK(distance_of(jump, 3) == Approx(1).margin(1e-4));
  const std::string smooth = program_of("w: [] = 1", "sin(3000 * w) + w^2");
  CHECK(distance_of(smooth, 3000 * std::cos(3000.0) + 2) < 1e-2);
  CHECK(distance_of(smooth, 3000 * std::cos(3000.0)) > 1);
  CHECK(distance_of(smooth, std::numeric_limits<double>::quiet_NaN()) > 1e300);
}

TEST_CASE("a mistake in the derivatives fails at a kink and beside it") {
  for (const char* start : {"0", "1e-4", "-1e-4"}) {
    const std::string sign = program_of(fmt::format("w: [] = {}", start), "relu(w) - 2 * w");
    CHECK(gradcheck(sign).exit_code == 0);
    const AwakeDefect defect(Defect::kWrongSign);
    const Called called = gradcheck(sign);
    CAPTURE(start, called.out);
    CHECK(called.exit_code == 4);
    CHECK(contains(called.out, "FAIL"));
  }
  const std::string used_often = program_of("w: [] = 0", "relu(w) + 3 * w + w * sin(w + 5)");
  CHECK(gradcheck(used_often).exit_code == 0);
  const AwakeDefect defect(Defect::kDroppedContribution);
  CHECK(gradcheck(used_often).exit_code == 4);
}

TEST_CASE("what rounding explains of a gradient is no fault, and what it does not is one") {
  std::string text = program_of("w: [3] = [0.3, -0.7, 1.1]", "sum(((w + 1000) - (1000 + 0.5 * w))^2)");
  text.replace(text.find("f64"), 3, "f32");
  const Called called = gradcheck(text);
  INFO(called.out << called.err);
  CHECK(called.exit_code == 0);
  CHECK(contains(called.out, "f.w: rounding explains "));
  const AwakeDefect defect(Defect::kWrongSign);
  CHECK(gradcheck(text).exit_code == 4);
}

}  // namespace
