// Owns the proof that `weights` of samples are what the text says, against plain C++ in f64: in training,
// over the batches of an update, in the loss of an epoch and in those of parts.
#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "runtime/json.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr int kRows = 7;
constexpr double kX[kRows] = {0.5, -1.0, 2.0, 0.25, 1.5, -0.75, 0.1};
constexpr double kT[kRows] = {0.1, 0.9, -0.4, 0.7, 0.3, -0.2, 1.0};
constexpr double kW[kRows] = {1, 2, 0, 0, 3, 0.5, 0.25};  // the second batch of two has none
constexpr double kRate = 0.05;
constexpr double kDecay = 0.1;

/// What a program may say otherwise.
struct Text {
  std::string weights = "d.w";
  std::string column = "[1, 2, 0, 0, 3, 0.5, 0.25]";
  std::string more = {};  // in `train`
  std::string stop = "100 steps";
};

std::string program_with(const Text& text) {
  return fmt::format(R"(dlg 1
use f64
data d {{
  x = [0.5, -1.0, 2.0, 0.25, 1.5, -0.75, 0.1]
  t = [0.1, 0.9, -0.4, 0.7, 0.3, -0.2, 1.0]
  w = {}
}}
model net(x: []) -> [] {{
  param w: [] = 0.5
  return w * x
}}
train {{
  minimize = (net(d.x) - d.t)^2 + 0.1 * l2(params(net))
  {}
  optimizer = sgd(lr = 0.05)
  shuffle = none
  stop = [{}]
  metrics = [mse(net(d.x), d.t), d.w]
{}}}
)",
                     text.column, text.weights.empty() ? "" : "weights = " + text.weights, text.stop,
                     text.more);
}

/// Sums over rows: of weights, of weight times loss and of its derivative.
struct Sums {
  double weight = 0;
  double loss = 0;
  double slope = 0;

  void add(int row, double w) {
    const double error = w * kX[row] - kT[row];
    weight += kW[row];
    loss += kW[row] * (error * error + kDecay * w * w);
    slope += kW[row] * (2 * error * kX[row] + 2 * kDecay * w);
  }
};

/// Plain C++: batches in the order of the rows, an update of so many of them.
struct Descent {
  int batch = 2;
  int accumulate = 1;
  double w = 0.5;
  std::vector<double> epoch_losses = {};

  void run(int batches) {
    Sums update;
    Sums epoch;
    int first = 0;
    for (int made = 1; made <= batches; ++made) {
      const int end = std::min(kRows, first + batch);
      for (int row = first; row < end; ++row) {
        update.add(row, w);
        epoch.add(row, w);
      }
      first = end == kRows ? 0 : end;
      if (first == 0) {
        epoch_losses.push_back(epoch.loss / epoch.weight);
        epoch = {};
      }
      if (made % accumulate != 0) continue;
      w -= kRate * update.slope / update.weight;
      update = {};
    }
  }
};

TEST_CASE("an update is the mean over its rows by their weights, compiled and interpreted") {
  struct Case {
    int batch;
    int accumulate;
  };
  for (const Case& one :
       {Case{7, 1}, Case{3, 1}, Case{4, 1}, Case{2, 3}, Case{1, 5}, Case{3, 2}, Case{5, 4}}) {
    const TempFolder folder;
    const std::string more = fmt::format("  batch = {}\n  accumulate = {}\n", one.batch, one.accumulate);
    LoadedProgram program(folder.write("net.dlg", program_with({.more = more})));
    INFO(more << program.errors());
    REQUIRE(program.is_ok());
    Descent descent{one.batch, one.accumulate};
    descent.run(13 * one.accumulate);
    for (const auto& laboratory : {program.compiled(), program.reference()}) {
      REQUIRE(laboratory);
      const std::optional<StateValues> end = laboratory->train(13);
      REQUIRE(end);
      CHECK(end->at("net.w").front() == Approx(descent.w).epsilon(1e-13));
    }
  }
}

/// The number behind `"name":` in a JSON text, from `from` on.
double number_after(const std::string& text, const std::string& name, std::size_t from = 0) {
  const std::size_t place = text.find("\"" + name + "\":", from);
  REQUIRE(place != std::string::npos);
  return leading_number(text.substr(place + name.size() + 3));
}

std::string trained(const Text& text, const std::vector<std::string>& options = {}) {
  std::ofstream("net.dlg") << program_with(text);
  std::vector<std::string> call{"train", "net.dlg", "--json"};
  call.insert(call.end(), options.begin(), options.end());
  const Called called = call_dlg(call);
  INFO(called.err << called.out);
  REQUIRE(called.exit_code == 0);
  return called.out;
}

TEST_CASE("the loss of an epoch and of a part is the mean over their rows by their weights") {
  for (const int batch : {2, 3, 4, 7}) {
    for (const char* threads : {"1", "2"}) {
      const EmptyWorkingFolder folder;
      const std::string more = fmt::format("  batch = {}\n  accumulate = 2\n", batch);
      const std::string out = trained({.more = more, .stop = "6 epochs"}, {"--threads", threads});
      Descent descent{batch, 2};
      descent.run(6 * ((kRows + batch - 1) / batch));
      INFO(batch << out);
      Sums part;
      for (int row = 0; row < kRows; ++row) part.add(row, descent.w);
      CHECK(number_after(out, "train.loss") == Approx(part.loss / part.weight).epsilon(1e-13));
      const std::string log = read_text("runs/0001-net/log.jsonl");
      std::size_t place = 0;
      for (const double loss : descent.epoch_losses) {
        place = log.find("\"event\":\"epoch\"", place + 1);
        REQUIRE(place != std::string::npos);
        CHECK(number_after(log, "loss", place) == Approx(loss).epsilon(1e-13));
      }
    }
  }
}

TEST_CASE("metrics are not weighted") {
  const EmptyWorkingFolder folder;
  const std::string more = "  batch = 2\n  accumulate = 4\n";
  const std::string weighted = trained({.more = more, .stop = "1 epochs"});
  CHECK(number_after(weighted, "train.d.w") == Approx(6.75 / 7).epsilon(1e-14));
}

std::string weights_of(const Text& text, const std::vector<std::string>& options = {}) {
  const EmptyWorkingFolder folder;
  trained(text, options);
  return read_text("runs/0001-net/weights.safetensors");
}

TEST_CASE("weights that are all 1 change no bit, and those that are all alike next to none") {
  for (const char* more : {"", "  batch = 2\n", "  batch = 2\n  accumulate = 3\n"}) {
    const std::string plain = weights_of({.weights = "", .more = more});
    CHECK(weights_of({.column = "[1, 1, 1, 1, 1, 1, 1]", .more = more}) == plain);
    CHECK(weights_of({.column = "[4, 4, 4, 4, 4, 4, 4]", .more = more}) == plain);
  }
}

TEST_CASE("threads change no bit of a weighted training") {
  const Text text{.more = "  batch = 2\n  accumulate = 2\n"};
  CHECK(weights_of(text, {"--threads", "1"}) == weights_of(text, {"--threads", "2"}));
}

TEST_CASE(
    "a weighted training that was stopped goes on to the same bytes, from the midst of an update and of an "
    "epoch") {
  const std::string text = program_with({.more = "  batch = 2\n  accumulate = 3\n"});
  const auto files_after = [&text](const std::vector<Options>& calls) {
    const std::string log = trained_file(text, calls, "log.jsonl");
    const std::size_t last = log.rfind("\"event\":\"epoch\"");
    return trained_file(text, calls) + trained_file(text, calls, "optimizer.safetensors") +
           fmt::format("{}", number_after(log, "loss", last));
  };
  // Four batches make an epoch and three an update: an epoch ends within an update, an update within an
  // epoch.
  const std::string whole = files_after({{"--set", "stop=12 epochs"}});
  for (const char* first : {"1 epochs", "2 epochs", "1 steps", "2 steps", "5 epochs", "7 steps"}) {
    INFO(first);
    CHECK(files_after(stopped_at(first, "12 epochs")) == whole);
  }
}

/// The exit code of a call on the program, with what it said.
Called called_with(const std::string& verb, const Text& text) {
  std::ofstream("net.dlg") << program_with(text);
  return call_dlg({verb, "net.dlg"});
}

TEST_CASE("rows of an update without weight end the training before it, and whoever looks says so too") {
  const Text text{.more = "  batch = 2\n"};
  const EmptyWorkingFolder folder;
  const Called called = called_with("train", text);
  CHECK(called.exit_code == 5);
  CHECK(called.err.find("the `weights` of the rows of an update sum to 0") != std::string::npos);
  CHECK(called.err.find("step 2 was not made") != std::string::npos);
  const Text first{.column = "[0, 0, 1, 1, 1, 1, 1]", .more = "  batch = 2\n"};
  CHECK(called_with("step", first).exit_code == 5);
}

TEST_CASE("a sum of weights that is negative or not finite is no weight either") {
  struct Case {
    const char* weights;
    const char* sum;
  };
  for (const Case& one : {Case{"d.w - 1", "-0.25"}, Case{"d.w / 0", "nan"}, Case{"1 / d.w", "inf"}}) {
    const EmptyWorkingFolder folder;
    const Called called = called_with("train", {.weights = one.weights});
    INFO(one.weights << called.err);
    CHECK(called.exit_code == 5);
    CHECK(called.err.find(fmt::format("sum to {}", one.sum)) != std::string::npos);
  }
}

TEST_CASE("a training in f32 weighs its samples too") {
  const TempFolder folder;
  std::string text = program_with({.more = "  batch = 2\n  accumulate = 3\n"});
  text.erase(text.find("use f64\n"), 8);
  LoadedProgram program(folder.write("net.dlg", text));
  REQUIRE(program.is_ok());
  Descent descent{2, 3};
  descent.run(39);
  const std::optional<StateValues> end = program.compiled()->train(13);
  REQUIRE(end);
  CHECK(end->at("net.w").front() == Approx(descent.w).epsilon(1e-5));
}

}  // namespace
