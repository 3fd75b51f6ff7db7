// Owns the proof that norms of finite gradients stay inside the range of numbers: clips and the rules that
// measure lengths, from the smallest gradients to the largest, and with the bits of the plain formula
// between.
#include <fmt/format.h>

#include <cmath>

#include "driver/race/norm.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// One step with rate 1 from 0 makes minus the treated gradient of the weights: 3 s and 4 s, and 0 of y.
std::string program(const std::string& dtype, const std::string& scale, const std::string& settings) {
  return "dlg 1\nuse " + dtype + R"(
fn plain_each(g, limit) = g * min(1, limit / sqrt(sum(g^2)))
fn plain_all(g, limit) = g * min(1, limit / sqrt(total(g^2)))
model bowl() -> [] {
  param x: [2] = [0.0, 0.0]
  param y: [] = 0
  return )" +
         scale + " * (3 * x[0] + 4 * x[1]) + 0 * y\n}\ntrain {\n  minimize = bowl()\n  stop = [1 steps]\n" +
         settings + "\n}\n";
}

enum class Engine { kCompiled, kReference };

StateValues after_one_step(const std::string& text, Engine engine) {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("bowl.dlg", text));
  INFO(text << loaded.errors());
  REQUIRE(loaded.is_ok());
  return *(engine == Engine::kCompiled ? loaded.compiled() : loaded.reference())->train(1);
}

struct Size {
  const char* dtype;
  const char* scale;
  double limit;
};

std::vector<Size> sizes(const char* dtype, const std::vector<const char*>& scales,
                        const std::vector<double>& limits) {
  std::vector<Size> all;
  for (const char* scale : scales) {
    for (const double limit : limits) all.push_back({dtype, scale, limit});
  }
  return all;
}

void check_clip(const Size& size, const char* clip) {
  const std::string settings = fmt::format("  optimizer = sgd(lr = 1)\n  clip = {}({})", clip, size.limit);
  const StateValues states = after_one_step(program(size.dtype, size.scale, settings), Engine::kCompiled);
  const double tolerance = std::string(size.dtype) == "f32" ? 1e-6 : 1e-14;
  const double s = leading_number(size.scale);
  const double factor = std::min(s, size.limit / 5);
  const std::vector<double>& x = states.at("bowl.x");
  CAPTURE(size.dtype, size.scale, size.limit, clip, x[0], x[1]);
  CHECK(std::abs(x[0] + 3 * factor) <= tolerance * 3 * factor);
  CHECK(std::abs(x[1] + 4 * factor) <= tolerance * 4 * factor);
  CHECK(states.at("bowl.y").front() == 0);
}

TEST_CASE("clip: gradients of every size come out with the norm that is asked for") {
  const std::vector<double> limits{1e-3, 1};
  std::vector<Size> all =
      sizes("f32", {"1e-37", "1e-30", "1e-20", "1e-12", "1", "1e12", "1e19", "1e20", "1e30", "8e37"}, limits);
  const std::vector<Size> wide =
      sizes("f64", {"1e-307", "1e-200", "1e-160", "1e-100", "1", "1e100", "1e154", "1e200", "1e300", "4e307"},
            limits);
  all.insert(all.end(), wide.begin(), wide.end());
  for (const Size& size : all) {
    check_clip(size, "global_norm");
    check_clip(size, "each_norm");
  }
}

StateValues clipped(const Size& size, const char* clip, Engine engine) {
  const std::string settings = fmt::format("  optimizer = sgd(lr = 1)\n  clip = {}({})", clip, size.limit);
  return after_one_step(program(size.dtype, size.scale, settings), engine);
}

TEST_CASE("clip: where the plain formula can be computed, its bits stay") {
  for (const char* dtype : {"f32", "f64"}) {
    for (const Size& size : sizes(dtype, {"1e-8", "0.013", "1.7", "123.4", "9.1e6"}, {0.011, 0.7, 5.3})) {
      CAPTURE(dtype, size.scale, size.limit);
      CHECK(clipped(size, "global_norm", Engine::kCompiled) == clipped(size, "plain_all", Engine::kCompiled));
      CHECK(clipped(size, "each_norm", Engine::kCompiled) == clipped(size, "plain_each", Engine::kCompiled));
      CHECK(clipped(size, "global_norm", Engine::kReference) ==
            clipped(size, "plain_all", Engine::kReference));
    }
  }
}

TEST_CASE("clip: a gradient that is not finite is still seen") {
  const EmptyWorkingFolder folder;
  const TempFolder programs;
  for (const char* clip : {"global_norm(1)", "each_norm(1)"}) {
    for (const char* loss : {"1e30 * x[0] * 1e30", "x[0] / y", "sqrt(y) + 0 * x[0]"}) {
      const std::string path = programs.write(
          "bad.dlg", fmt::format("dlg 1\nmodel bowl() -> [] {{\n  param x: [2] = [0.0, 1.0]\n  "
                                 "param y: [] = 0\n  return {} + 0 * y\n}}\ntrain {{\n  minimize = "
                                 "bowl()\n  optimizer = sgd(lr = 0.1)\n  stop = [3 steps]\n  clip = "
                                 "{}\n}}\n",
                                 loss, clip));
      const Called called = call_dlg({"train", path, "--quiet", "--no-cache"});
      INFO(clip << " " << loss << called.err);
      CHECK(called.exit_code == 5);
    }
  }
}

/// The weights of `bowl`, which begin at `start`, after one step of a rule.
std::vector<double> moved(const Size& size, const std::string& rule, Engine engine) {
  std::string text = program(size.dtype, "1", rule);
  const std::string zeros = "[0.0, 0.0]";
  text.replace(text.find(zeros), zeros.size(), fmt::format("[{0}, {0}]", size.scale));
  text.replace(text.find(" + 0 * y"), 8, " + y");
  return after_one_step(text, engine).at("bowl.x");
}

TEST_CASE("lengths of weights and updates stay inside the range") {
  const std::string rule =
      "  optimizer = along(lr = 0.5)\n}\noptimizer along(lr) {\n  theta <- theta - lr * "
      "each_length(theta) * grad(theta) / each_length(grad(theta))\n";
  for (const char* start : {"1e25", "1", "1e-25"}) {
    const double before = leading_number(start);
    const std::vector<double> x = moved({"f32", start, 0}, rule, Engine::kCompiled);
    CAPTURE(start, x[0], x[1]);
    CHECK(std::abs(x[0] - (1 - 0.3 * std::sqrt(2.0)) * before) <= 1e-6 * before);
    CHECK(std::abs(x[1] - (1 - 0.4 * std::sqrt(2.0)) * before) <= 1e-6 * before);
  }
  // In its first step the update of a weight is g / |g|, so lr times the length of the weights is its size.
  const std::string lamb = "  optimizer = lamb(lr = 0.5, decay = 0, delta = 0)";
  for (const char* start : {"1e200", "1", "1e-200"}) {
    const double before = leading_number(start);
    const std::vector<double> x = moved({"f64", start, 0}, lamb, Engine::kReference);
    CAPTURE(start, x[0], x[1]);
    CHECK(std::abs(x[0] - 0.5 * before) <= 1e-12 * before);
  }
}

TEST_CASE("norm(grad) of gradients whose squares leave the range") {
  const EmptyWorkingFolder folder;
  const TempFolder programs;
  for (const char* scale : {"1e200", "1e-200", "1"}) {
    const auto ending = [&](double limit) {
      std::string text = program("f64", scale, "  optimizer = sgd(lr = 1e-300)");
      const std::string stop = "[1 steps]";
      text.replace(text.find(stop), stop.size(), fmt::format("[norm(grad) < {}, 9 steps]", limit));
      const Called called = call_dlg({"train", programs.write("t.dlg", text), "--no-cache"});
      INFO(called.err);
      return called.out.substr(0, called.out.find('\n'));
    };
    CAPTURE(scale);
    CHECK(ending(5.0001 * leading_number(scale)).find("1 step") != std::string::npos);
    CHECK(ending(4.9999 * leading_number(scale)).find("9 steps") != std::string::npos);
  }
}

TEST_CASE("norms on the host: the plain bits where these are finite, and no overflow") {
  CHECK(norm_of(std::vector<double>{3, 4}) == 5);
  CHECK(norm_of(std::vector<double>{}) == 0);
  CHECK(norm_of(std::vector<double>{0, 0}) == 0);
  for (const double scale : {1e300, 1e-300, 1e-320}) {
    const double norm = norm_of(std::vector<double>{3 * scale, 4 * scale});
    CHECK(std::abs(norm - 5 * scale) <= 1e-3 * scale);
  }
  CHECK(std::isinf(norm_of(std::vector<double>{1, INFINITY})));
  CHECK(std::isnan(norm_of(std::vector<double>{1, NAN})));
}

}  // namespace
