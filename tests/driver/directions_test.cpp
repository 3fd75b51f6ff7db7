// Owns the proof that stops, best weights and schedules agree on which of two measured values is better, also
// in a training that was interrupted.
#include <fmt/format.h>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// The rate doubles with every step, so that the loss falls first and rises later.
std::string program(const std::string& watched, const std::string& rate = "0.01 * 1.4^step") {
  return R"(dlg 1
use f64
data d {
  x = [1.0, 2.0]
}
model line(x: []) -> [] {
  param w: [] = 3
  return w * x
}
loss squares(y: []) = y^2
fn score(y: []) -> [] = 1 - y^2
fn squared(y: []) -> [] = y^2
train {
  minimize  = squares(line(d.x))
  optimizer = sgd(lr = )" +
         rate +
         ")\n  metrics   = [score(line(d.x)), squared(line(d.x)), squares(line(d.x))]\n  stop      = "
         "[plateau(" +
         watched + ", patience = 4 epochs), 40 epochs]\n}\n";
}

/// "best (epoch 9)" and the epochs that were made.
struct Ending {
  std::string best;
  std::string weights;

  friend bool operator==(const Ending&, const Ending&) = default;
};

Ending ending_of(const Called& called, const std::string& run) {
  INFO(called.out << called.err);
  const std::size_t at = called.out.find("best (epoch ");
  REQUIRE(at != std::string::npos);
  return {called.out.substr(at, called.out.find(')', at) - at), read_text(run + "/weights.safetensors")};
}

/// In an empty working folder; the run is the only one.
Ending trained(const std::string& text) {
  const EmptyWorkingFolder folder;
  const TempFolder programs;
  const std::string path = programs.write("t.dlg", text);
  return ending_of(call_dlg({"train", path, "--no-cache", "--quiet"}), "runs/0001-t");
}

TEST_CASE("a metric of one's own with its mode stops where the loss does") {
  const Ending by_loss = trained(program("train.loss"));
  CHECK(by_loss.best != "best (epoch 1");
  CHECK(trained(program("train.score, mode = max")) == by_loss);
  CHECK(trained(program("train.squared, mode = min")) == by_loss);
  CHECK(trained(program("train.squares")) == by_loss);
  // In the other direction the first epoch, or the last one looked at, is the best.
  CHECK_FALSE(trained(program("train.score, mode = min")) == by_loss);
}

TEST_CASE("a schedule follows the mode that it is given, else that of the stop") {
  const auto with = [&](const std::string& watched, const std::string& of) {
    return trained(program(watched, "plateau(0.35, patience = 1 epochs, factor = 0.5" + of + ")"));
  };
  const Ending by_loss = with("train.loss", ", of = train.loss");
  CHECK(with("train.loss", ", of = train.score, mode = max") == by_loss);
  CHECK(with("train.score, mode = max", "") == by_loss);
  CHECK(with("train.squared, mode = min", "") == by_loss);
}

TEST_CASE("an interrupted training goes on with the best in its own direction") {
  const std::string text = program("train.score, mode = max");
  const Ending whole = trained(text);
  for (const char* epochs : {"2", "9"}) {
    const EmptyWorkingFolder folder;
    const TempFolder programs;
    const std::string path = programs.write("t.dlg", text);
    const auto train_until = [&](const std::string& limit, std::vector<std::string> options) {
      options.insert(options.begin(),
                     {"train", path, "--no-cache", "--quiet", "--set",
                      "stop=[plateau(train.score, patience = 4 epochs, mode = max), " + limit + "]"});
      return call_dlg(options);
    };
    const Called first = train_until(std::string(epochs) + " epochs", {});
    INFO(first.out << first.err);
    REQUIRE(first.exit_code == 0);
    CHECK(ending_of(train_until("40 epochs", {"--resume"}), "runs/0001-t") == whole);
  }
}

}  // namespace
