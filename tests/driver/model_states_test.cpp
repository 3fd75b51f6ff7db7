// Owns the proof that states of models are what their text says: against plain C++ in f64, for rules that
// look at shifted points, for gradients of several batches, for a model that is applied twice; and that
// nothing but a training step writes them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <functional>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr int kRows = 8;
constexpr int kBatch = 2;
constexpr double kX[kRows] = {0.5, -1.0, 2.0, 0.25, 1.5, -0.75, 0.1, 3.0};
constexpr double kT[kRows] = {0.1, 0.9, -0.4, 0.7, 0.3, -0.2, 1.0, 0.0};
constexpr double kRate = 0.05;
constexpr double kBeta = 0.9;

constexpr std::string_view kNet = R"(dlg 1
use f64
data d {
  x = [0.5, -1.0, 2.0, 0.25, 1.5, -0.75, 0.1, 3.0]
  t = [0.1, 0.9, -0.4, 0.7, 0.3, -0.2, 1.0, 0.0]
}
model net(x: []) -> [] {
  param w: [] = 0.5
  state a: [] = 0.25
  state count: [] = 0
  y = w * x - a
  a <- 0.9 * a + 0.1 * batch_mean(w * x)
  count <- count + 1
  return y
}
)";

/// The program of the reference; `more` stands in `train`, `objective` is minimised.
std::string program_with(const std::string& more, const std::string& objective) {
  constexpr std::string_view kTrain =
      "train {{\n  minimize = {}\n  batch = 2\n  shuffle = none\n  stop = [100 steps]\n{}}}\n";
  return fmt::format("{}{}", kNet, fmt::format(kTrain, objective, more));
}

/// What the program holds.
struct Held {
  double w = 0.5;
  double a = 0.25;
  double count = 0;
  double v = 0;  // of the rule
};

/// The derivative of the loss of a batch by w at the point, and what a becomes at w itself.
struct BatchStep {
  double gradient = 0;
  double a = 0;
  int writes = 0;
};

using Objective = std::function<BatchStep(const Held& held, double point, int first)>;

double mean_of_rows(int first, const std::function<double(int row)>& value) {
  double sum = 0;
  for (int row = first; row < first + kBatch; ++row) sum += value(row);
  return sum / kBatch;
}

/// (net(x) - t)^2.
BatchStep applied_once(const Held& held, double point, int first) {
  const double gradient =
      mean_of_rows(first, [&](int i) { return 2 * (point * kX[i] - held.a - kT[i]) * kX[i]; });
  const double mean = mean_of_rows(first, [&](int i) { return held.w * kX[i]; });
  return {gradient, 0.9 * held.a + 0.1 * mean, 1};
}

/// (net(x) - t)^2 + net(2 x)^2: the second application finds what the first has written, at its own point.
BatchStep applied_twice(const Held& held, double point, int first) {
  const double mean_x = mean_of_rows(first, [&](int i) { return kX[i]; });
  const double between = 0.9 * held.a + 0.1 * point * mean_x;
  const double gradient = mean_of_rows(first, [&](int i) {
    const double one = point * kX[i] - held.a - kT[i];
    const double two = 2 * point * kX[i] - between;
    return 2 * one * kX[i] + 2 * two * (2 * kX[i] - 0.1 * mean_x);
  });
  const double after_first = 0.9 * held.a + 0.1 * held.w * mean_x;
  return {gradient, 0.9 * after_first + 0.1 * 2 * held.w * mean_x, 2};
}

void write_states(Held& held, const BatchStep& step) {
  held.a = step.a;
  held.count += step.writes;
}

using Rule = std::function<void(Held& held, const Objective& objective, int step)>;

int first_row(int micro_batch) {
  return micro_batch * kBatch % kRows;
}

void descend(Held& held, const Objective& objective, int step) {
  const BatchStep batch = objective(held, held.w, first_row(step));
  held.w -= kRate * batch.gradient;
  write_states(held, batch);
}

void look_ahead(Held& held, const Objective& objective, int step) {
  const BatchStep batch = objective(held, held.w - kBeta * held.v, first_row(step));
  held.v = kBeta * held.v + kRate * batch.gradient;
  held.w -= held.v;
  write_states(held, batch);
}

void descend_by_three(Held& held, const Objective& objective, int step) {
  double gradient = 0;
  for (int micro = 0; micro < 3; ++micro) {
    const BatchStep batch = objective(held, held.w, first_row(3 * step + micro));
    gradient += batch.gradient / 3;
    write_states(held, batch);
  }
  held.w -= kRate * gradient;
}

void check_held(const StateValues& states, const Held& expected) {
  CHECK(states.at("net.w").front() == Approx(expected.w).epsilon(1e-13));
  CHECK(states.at("net.a").front() == Approx(expected.a).epsilon(1e-13));
  CHECK(states.at("net.count").front() == expected.count);
}

void compare(const std::string& settings, const std::string& text, const Rule& rule,
             const Objective& objective) {
  const TempFolder folder;
  LoadedProgram program(folder.write("net.dlg", program_with(settings, text)));
  INFO(settings << text << program.errors());
  REQUIRE(program.is_ok());
  Held held;
  for (int step = 0; step < 13; ++step) rule(held, objective, step);
  for (const auto& laboratory : {program.compiled(), program.reference()}) {
    REQUIRE(laboratory);
    const std::optional<StateValues> end = laboratory->train_from(laboratory->initial(), 13);
    REQUIRE(end);
    check_held(*end, held);
  }
}

TEST_CASE("a state of a model is written once a step, at the parameters themselves") {
  struct Case {
    std::string settings;
    Rule rule;
  };
  const std::vector<Case> cases{
      {"  optimizer = sgd(lr = 0.05)\n", descend},
      {"  optimizer = nesterov(lr = 0.05)\n", look_ahead},
      {"  optimizer = sgd(lr = 0.05)\n  accumulate = 3\n", descend_by_three},
  };
  for (const Case& one : cases) {
    compare(one.settings, "(net(d.x) - d.t)^2", one.rule, applied_once);
    compare(one.settings, "(net(d.x) - d.t)^2 + net(2 * d.x)^2", one.rule, applied_twice);
    // The list of parameters is known only once the model was looked at.
    compare(one.settings, "0 * l2(params(net)) + (net(d.x) - d.t)^2", one.rule, applied_once);
  }
}

std::string text_applied_twice(const std::string& settings) {
  return program_with(settings, "(net(d.x) - d.t)^2 + net(2 * d.x)^2");
}

constexpr std::string_view kNormalised = R"(dlg 1
use f64
data d {
  x = [[0.5], [-1.0], [2.0], [0.25], [1.5], [-0.75], [0.1], [3.0]]
  t = [0.1, 0.9, -0.4, 0.7, 0.3, -0.2, 1.0, 0.0]
}
model net(x: [1]) -> [] {
  param w: [1] = 0.5
  param v: [1] = 0.7
  return sum(v * tanh(batch_norm(w * x + x^2)))
}
)";

/// w, v, gain and shift; what the rule keeps of each; average and variance.
struct Normalised {
  std::array<double, 4> point{0.5, 0.7, 1, 0};
  std::array<double, 4> velocity{};
  double average = 0;
  double variance = 1;
};

template <class Number>
struct Statistics {
  Number mean = 0;
  Number variance = 0;
};

template <class Number>
Number before_norm(const std::array<Number, 4>& p, int row) {
  return p[0] * kX[row] + kX[row] * kX[row];
}

template <class Number>
Statistics<Number> statistics_of(const std::array<Number, 4>& p, int first) {
  Statistics<Number> found;
  for (int i = first; i < first + kBatch; ++i) found.mean += before_norm(p, i) / double{kBatch};
  for (int i = first; i < first + kBatch; ++i) {
    const Number away = before_norm(p, i) - found.mean;
    found.variance += away * away / double{kBatch};
  }
  return found;
}

/// By complex steps: the imaginary part of an analytic function at p + i h is h times its derivative, without
/// a difference that cancels.
std::array<double, 4> normalised_gradient(const std::array<double, 4>& point, int first) {
  constexpr double kStep = 1e-30;
  std::array<double, 4> gradient{};
  for (std::size_t k = 0; k < gradient.size(); ++k) {
    std::array<std::complex<double>, 4> p;
    std::copy(point.begin(), point.end(), p.begin());
    p[k] += std::complex<double>(0, kStep);
    const auto batch = statistics_of(p, first);
    std::complex<double> loss = 0;
    for (int i = first; i < first + kBatch; ++i) {
      const auto normal = (before_norm(p, i) - batch.mean) / std::sqrt(batch.variance + 1e-5);
      const auto residual = p[1] * std::tanh(p[2] * normal + p[3]) - kT[i];
      loss += residual * residual / double{kBatch};
    }
    gradient[k] = loss.imag() / kStep;
  }
  return gradient;
}

void write_statistics(Normalised& held, int first) {
  const Statistics<double> batch = statistics_of(held.point, first);
  held.average = 0.9 * held.average + 0.1 * batch.mean;
  held.variance = 0.9 * held.variance + 0.1 * batch.variance * kBatch / (kBatch - 1);
}

void look_ahead_normalised(Normalised& held, int step) {
  std::array<double, 4> ahead = held.point;
  for (std::size_t k = 0; k < ahead.size(); ++k) ahead[k] -= kBeta * held.velocity[k];
  const std::array<double, 4> gradient = normalised_gradient(ahead, first_row(step));
  write_statistics(held, first_row(step));
  for (std::size_t k = 0; k < ahead.size(); ++k) {
    held.velocity[k] = kBeta * held.velocity[k] + kRate * gradient[k];
    held.point[k] -= held.velocity[k];
  }
}

void descend_by_four_normalised(Normalised& held, int step) {
  std::array<double, 4> sum{};
  for (int micro = 0; micro < 4; ++micro) {
    const std::array<double, 4> gradient = normalised_gradient(held.point, first_row(4 * step + micro));
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += gradient[k] / 4;
    write_statistics(held, first_row(4 * step + micro));
  }
  for (std::size_t k = 0; k < sum.size(); ++k) held.point[k] -= kRate * sum[k];
}

void check_normalised(const StateValues& states, const Normalised& expected) {
  const std::vector<std::string> paths{"net.w", "net.v", "net.batch_norm.gain", "net.batch_norm.shift"};
  for (std::size_t k = 0; k < paths.size(); ++k)
    CHECK(states.at(paths[k]).front() == Approx(expected.point[k]).epsilon(1e-11));
  CHECK(states.at("net.batch_norm.average").front() == Approx(expected.average).epsilon(1e-11));
  CHECK(states.at("net.batch_norm.variance").front() == Approx(expected.variance).epsilon(1e-11));
}

TEST_CASE("batch normalisation is written once where a rule looks ahead, and by each batch of an update") {
  const std::vector<std::pair<std::string, void (*)(Normalised&, int)>> cases{
      {"optimizer = nesterov(lr = 0.05)", look_ahead_normalised},
      {"optimizer = sgd(lr = 0.05)\n  accumulate = 4", descend_by_four_normalised}};
  for (const auto& [rule_text, rule] : cases) {
    const TempFolder folder;
    LoadedProgram program(folder.write(
        "net.dlg", fmt::format("{}train {{\n  minimize = (net(d.x) - d.t)^2\n  batch = 2\n  shuffle = none\n"
                               "  stop = [100 steps]\n  {}\n}}\n",
                               kNormalised, rule_text)));
    INFO(rule_text << program.errors());
    REQUIRE(program.is_ok());
    Normalised held;
    for (int step = 0; step < 9; ++step) rule(held, step);
    for (const auto& laboratory : {program.compiled(), program.reference()}) {
      REQUIRE(laboratory);
      const std::optional<StateValues> end = laboratory->train_from(laboratory->initial(), 9);
      REQUIRE(end);
      check_normalised(*end, held);
    }
  }
}

/// The loss over all rows at the parameters and states that are held.
double loss_of_all(const Held& held) {
  double sum = 0;
  for (int row = 0; row < kRows; ++row) {
    const double residual = held.w * kX[row] - held.a - kT[row];
    sum += residual * residual;
  }
  return sum / kRows;
}

void check_race(const std::string& csv, const std::string& rule_text, const Rule& rule) {
  INFO(rule_text);
  Held held;
  for (int step = 0; step <= 9; ++step) {
    const std::string start = fmt::format("\"{}\",{},", rule_text, step);
    const std::size_t line = csv.find(start);
    REQUIRE(line != std::string::npos);
    const std::string_view rest = std::string_view(csv).substr(line + start.size());
    CHECK(leading_number(rest) == Approx(loss_of_all(held)).epsilon(1e-13));
    CHECK(leading_number(rest.substr(rest.find(',') + 1)) == Approx(held.w).epsilon(1e-13));
    rule(held, applied_once, step);
  }
}

TEST_CASE("each run of a race has states of its own") {
  const TempFolder folder;
  const std::string path = folder.write("race.dlg", fmt::format("{}{}", kNet, R"(race "states" {
  minimize = (net(d.x) - d.t)^2
  with = [sgd(lr = 0.05), nesterov(lr = 0.05)]
  batch = 2
  shuffle = none
  stop = [9 steps]
}
)"));
  for (const char* threads : {"1", "2"}) {
    const Called called = call_dlg({"race", path, "--out", folder.file("out"), "--threads", threads});
    INFO(called.err);
    REQUIRE(called.exit_code == 0);
    const std::string csv = read_text(folder.file("out/race.csv"));
    check_race(csv, "sgd(lr = 0.05)", descend);
    check_race(csv, "nesterov(lr = 0.05)", look_ahead);
  }
}

TEST_CASE("a training that was stopped goes on with the states of its model") {
  const std::string text = text_applied_twice("  optimizer = nesterov(lr = 0.05)\n");
  const std::string whole = trained_file(text, {{"--set", "stop=40 steps"}});
  CHECK(whole.find("net.count") != std::string::npos);
  for (const int step : {1, 2, 7, 8, 19, 39}) {
    INFO(step);
    CHECK(trained_file(text, stopped_at(fmt::format("{} steps", step), "40 steps")) == whole);
  }
}

TEST_CASE("whatever is measured between two steps writes nothing") {
  const std::string rule = "  optimizer = sgd(lr = 0.05)\n";
  const std::string watched = rule + "  metrics = [mse(net(d.x), d.t)]\n  predict = net(d.x)\n";
  CHECK(trained_file(text_applied_twice(rule), {{}}) == trained_file(text_applied_twice(watched), {{}}));
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg") << program_with(watched, "(net(d.x) - d.t)^2");
  REQUIRE(call_dlg({"train", "net.dlg"}).exit_code == 0);
  const std::string before = read_text("runs/0001-net/weights.safetensors");
  const std::string first = call_dlg({"eval", "net.dlg"}).out;
  CHECK(call_dlg({"check", "net.dlg"}).exit_code == 0);
  CHECK(call_dlg({"eval", "net.dlg"}).out == first);
  CHECK(read_text("runs/0001-net/weights.safetensors") == before);
}

TEST_CASE("batch normalisation is PyTorch's, in training and in evaluation") {
  for (const std::string& file : stored_programs("tests/layers")) {
    const Called check = call_dlg({"check", file, "--no-cache"});
    INFO(file << check.err << check.out);
    CHECK(check.exit_code == 0);
    const std::string text = read_text(file);
    const std::string mark = "# evaluation after 3 steps: loss ";
    const double expected = leading_number(text.substr(text.find(mark) + mark.size()));
    const EmptyWorkingFolder folder;
    const Called trained = call_dlg({"train", file, "--json"});
    INFO(trained.out);
    const std::string name = "\"train.loss\":";
    const std::size_t place = trained.out.find(name);
    REQUIRE(place != std::string::npos);
    CHECK(leading_number(trained.out.substr(place + name.size())) == Approx(expected).epsilon(1e-13));
  }
}

}  // namespace
