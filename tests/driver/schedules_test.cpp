// Owns the proof that schedules are the functions they are called after, evaluated once a step, and that a
// rate never compiles anything.
#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "tests/cache_folder.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr int kSteps = 60;
constexpr int kEpochSteps = 6;

/// The gradient is 1 at every step: sgd takes off the sum of the rates. Six batches are an epoch.
std::string program(const std::string& dtype, const std::string& rate) {
  return "dlg 1\n" + dtype + R"(
data d {
  x = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
}
model line(x: []) -> [] {
  param p: [] = 0
  return p + x
}
train {
  minimize  = line(d.x)
  optimizer = sgd(lr = )" +
         rate + fmt::format(")\n  batch     = 1\n  stop      = [{} steps, 20 epochs]\n}}\n", kSteps);
}

/// `rate(k)` is the rate of step k, from 1; `epoch` counts finished epochs.
void compare(const std::string& text, const std::function<double(int step, int epoch)>& rate) {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("line.dlg", program("use f64", text)));
  INFO(text << loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  const std::unique_ptr<Laboratory> reference = loaded.reference();
  double p = 0;
  for (int step = 1; step <= kSteps; ++step) {
    p -= rate(step, (step - 1) / kEpochSteps);
    const double actual = compiled->train(step)->at("line.p").front();
    CAPTURE(step, actual, p);
    CHECK(std::abs(actual - p) <= 1e-14 * step);
  }
  CHECK(std::abs(reference->train(kSteps)->at("line.p").front() - p) <= 1e-14 * kSteps);
}

TEST_CASE("schedules: a constant, also as a word") {
  compare("0.25", [](int, int) { return 0.25; });
  compare("constant(1/3)", [](int, int) { return 1.0 / 3; });
}

TEST_CASE("schedules: a step list in steps and epochs, and one time alone") {
  compare("step_list(0.4, at = [10 steps, 5 epochs], factor = 0.5)",
          [](int step, int) { return 0.4 * (step > 10 ? 0.5 : 1) * (step > 5 * kEpochSteps ? 0.5 : 1); });
  compare("step_list(0.4, at = 3 epochs)", [](int, int epoch) { return epoch >= 3 ? 0.04 : 0.4; });
}

TEST_CASE("schedules: exponential, every step or every two epochs") {
  compare("exponential(0.4, factor = 0.9)", [](int step, int) { return 0.4 * std::pow(0.9, step - 1); });
  compare("exponential(0.4, factor = 0.9, every = 2 epochs)",
          [](int step, int) { return 0.4 * std::pow(0.9, (step - 1) / (2.0 * kEpochSteps)); });
}

TEST_CASE("schedules: polynomial from the first step to the last") {
  compare("polynomial(0.4)", [](int step, int) { return 0.4 * (1 - (step - 1.0) / (kSteps - 1)); });
  compare("polynomial(0.4, power = 2, end = 0.1)",
          [](int step, int) { return 0.1 + 0.3 * std::pow(1 - (step - 1.0) / (kSteps - 1), 2); });
}

TEST_CASE("schedules: cosine, with a warm-up and without") {
  const auto cosine = [](double lr, int step, double warmup) {
    if (step <= warmup) return lr * step / warmup;
    return lr / 2 * (1 + std::cos(std::acos(-1.0) * (step - warmup) / (kSteps - warmup)));
  };
  compare("cosine(0.3, warmup = 7 steps)", [&](int step, int) { return cosine(0.3, step, 7); });
  compare("cosine(0.3, warmup = 2 epochs)", [&](int step, int) { return cosine(0.3, step, 12); });
  compare("cosine(0.3)", [&](int step, int) { return cosine(0.3, step, 0); });
}

TEST_CASE("schedules: a warm-up before another schedule, and an expression of step and epoch") {
  compare("warm_up(exponential(0.4, factor = 0.9), steps = 10)",
          [](int step, int) { return 0.4 * std::pow(0.9, step - 1) * std::min(step / 10.0, 1.0); });
  compare("0.5 * 0.8^epoch / sqrt(step)",
          [](int step, int epoch) { return 0.5 * std::pow(0.8, epoch) / std::sqrt(step); });
}

TEST_CASE("schedules: a program in f32 has them in f64, rounded where they meet a weight") {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("line.dlg", program("use f32", "exponential(0.1, factor = 0.9)")));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  float p = 0;
  for (int step = 1; step <= 30; ++step) {
    p -= static_cast<float>(0.1 * std::pow(0.9, step - 1));
    CHECK(compiled->train(step)->at("line.p").front() == static_cast<double>(p));
  }
}

TEST_CASE("schedules: any argument of a rule may be one") {
  const TempFolder folder;
  std::string text = program("use f64", "0.1");
  text.replace(text.find("sgd(lr = 0.1)"), 13, "momentum(lr = 0.1, beta = min(0.5 + step / 100, 0.9))");
  LoadedProgram loaded(folder.write("line.dlg", text));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  double p = 0, v = 0;
  for (int step = 1; step <= kSteps; ++step) {
    v = std::min(0.5 + step / 100.0, 0.9) * v + 0.1;
    p -= v;
  }
  CHECK(std::abs(compiled->train(kSteps)->at("line.p").front() - p) <= 1e-12);
}

/// |p| with a rate that is too large: the loss goes down, then p jumps around 0 until the rate is lowered. An
/// epoch is two updates, each from `batches` batches.
void compare_plateau(int batches) {
  const TempFolder folder;
  const std::string rows = batches == 1 ? "[0.0, 0.0]" : "[0.0, 0.0, 0.0, 0.0]";
  LoadedProgram loaded(folder.write("jump.dlg", fmt::format(R"(dlg 1
use f64
data d {{
  x = {}
}}
model line(x: []) -> [] {{
  param p: [] = 3.3
  return abs(p + x)
}}
train {{
  minimize   = line(d.x)
  optimizer  = sgd(lr = plateau(1, patience = 2 epochs, factor = 0.25))
  batch      = 1
  stop       = [40 steps]
  accumulate = {}
}}
)",
                                                            rows, batches)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  double p = 3.3, best = 1e300, sum = 0;
  int waited = 0, count = 0;
  for (int step = 1; step <= 40; ++step) {
    sum += std::abs(p);
    p -= std::pow(0.25, count) * (p > 0 ? 1 : -1);
    CHECK(std::abs(compiled->train(step)->at("line.p").front() - p) <= 1e-12);
    if (step % 2 != 0) continue;
    const bool is_better = sum / 2 < best;
    waited = is_better ? 0 : waited + 1;
    best = is_better ? sum / 2 : best;
    count += waited == 2 ? 1 : 0;
    waited = waited == 2 ? 0 : waited;
    sum = 0;
  }
  CHECK(count >= 3);
  CHECK(compiled->train(40)->at("rule:plateau.count").front() == count);
}

/// The rate falls with what the validation part shows at the end of an epoch, of two batches each.
void compare_validated(const std::string& rate, const std::string& stop, const std::string& data) {
  const TempFolder folder;
  folder.write("rows.csv", "x\n0\n0\n0\n0\n0\n0\n0\n0\n");
  LoadedProgram loaded(folder.write("jump.dlg", fmt::format(R"(dlg 1
use f64
data d {{
  file  = csv("rows.csv")
  x     = column("x")
  {}
}}
model line(x: []) -> [] {{
  param p: [] = 3.3
  return abs(p + x)
}}
fn closeness(y: []) -> [] = -y
train {{
  minimize  = line(d.x)
  optimizer = sgd(lr = {})
  batch     = 2
  stop      = {}
  metrics   = [closeness(line(d.x))]
}}
)",
                                                            data, rate, stop)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  const std::unique_ptr<Laboratory> reference = loaded.reference();
  double p = 3.3, best = 1e300;
  int waited = 0, count = 0;
  for (int step = 1; step <= 40; ++step) {
    p -= std::pow(0.25, count) * (p > 0 ? 1 : -1);
    CAPTURE(step, p);
    CHECK(std::abs(compiled->train(step)->at("line.p").front() - p) <= 1e-12);
    CHECK(std::abs(reference->train(step)->at("line.p").front() - p) <= 1e-12);
    if (step % 2 != 0) continue;
    const bool is_better = std::abs(p) < best;
    waited = is_better ? 0 : waited + 1;
    best = is_better ? std::abs(p) : best;
    count += waited == 2 ? 1 : 0;
    waited = waited == 2 ? 0 : waited;
  }
  CHECK(count >= 3);
}

TEST_CASE("schedules: a plateau looks at the validation part where it is told to, or where stop does") {
  const std::string split = "split = shares(train = 0.5, val = 0.5)";
  compare_validated("plateau(1, patience = 2 epochs, factor = 0.25, of = val.loss)", "[40 steps]", split);
  compare_validated("plateau(1, patience = 2 epochs, factor = 0.25)",
                    "[40 steps, plateau(val.loss, patience = 30 epochs)]", split);
}

TEST_CASE("schedules: a plateau lowers the rate where the mean loss of epochs stands still") {
  compare_plateau(1);
  compare_plateau(2);
}

/// `cached` of the compilation of the step in a run's log.
bool is_step_cached(int run) {
  std::istringstream lines(read_text(fmt::format("runs/{:04}-line/log.jsonl", run)));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("\"what\":\"step\"") != std::string::npos) {
      return line.find("\"cached\":true") != std::string::npos;
    }
  }
  FAIL("no compilation of the step in the log");
  return false;
}

TEST_CASE("schedules: changing a rate compiles nothing, in number or schedule") {
  const EmptyWorkingFolder folder;
  const CacheFolder cache;
  std::ofstream("line.dlg", std::ios::binary) << program("use f64", "0.1");
  int run = 0;
  const auto is_cached_with = [&](const std::string& rate) {
    const Called called = call_dlg({"train", "line.dlg", "--quiet", "--set", "optimizer.lr=" + rate});
    CAPTURE(called.err);
    REQUIRE(called.exit_code == 0);
    return is_step_cached(++run);
  };
  CHECK_FALSE(is_cached_with("0.1"));
  CHECK(is_cached_with("0.2"));
  CHECK(is_cached_with("1e-3"));
  CHECK_FALSE(is_cached_with("cosine(0.1, warmup = 5 steps)"));
  CHECK(is_cached_with("cosine(0.2, warmup = 9 steps)"));
  const Called other = call_dlg({"train", "line.dlg", "--quiet", "--set",
                                 "optimizer.lr=cosine(0.2, warmup = 9 steps)", "--set", "stop=40 steps"});
  REQUIRE(other.exit_code == 0);
  CHECK(is_step_cached(++run));
}

TEST_CASE("schedules: numbers of the settings around a rule compile nothing either") {
  const EmptyWorkingFolder folder;
  const CacheFolder cache;
  std::string text = program("use f64", "0.1");
  text.replace(text.find("  batch     = 1\n"), 16,
               "  batch = 1\n  clip = global_norm(1.0)\n  ema = 0.9\n  accumulate = 2\n"
               "  weight_decay = coupled(0.1)\n  groups = [group(line, lr = 0.2)]\n");
  std::ofstream("line.dlg", std::ios::binary) << text;
  int run = 0;
  const auto is_cached_with = [&](const std::string& setting) {
    const Called called = call_dlg({"train", "line.dlg", "--quiet", "--set", setting});
    CAPTURE(called.err);
    REQUIRE(called.exit_code == 0);
    return is_step_cached(++run);
  };
  CHECK_FALSE(is_cached_with("optimizer.lr=0.1"));
  CHECK(is_cached_with("clip=global_norm(2.5)"));
  CHECK(is_cached_with("ema=0.5"));
  CHECK(is_cached_with("accumulate=3"));
  CHECK(is_cached_with("weight_decay=coupled(0.7)"));
  CHECK(is_cached_with("groups=[group(line, lr = 0.7)]"));
  CHECK_FALSE(is_cached_with("weight_decay=decoupled(0.7)"));
}

}  // namespace
