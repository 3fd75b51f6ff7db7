// Owns the proof that random values are those of their streams, whoever computes them: against RandomStream
// for every way through the data; with the same bits for threads, targets, fusion and stops.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>

#include "runtime/random.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr int kRows = 7;
constexpr int kWidth = 3;

/// `w` goes down by what is drawn, its mean over the rows of each batch.
std::string collecting(const std::string& drawn, const std::string& settings,
                       const std::string& dtype = "f64") {
  return fmt::format(R"(dlg 1
use {}
data d {{
  x = [[1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7], [6, 7, 8], [7, 8, 9]]
}}
model net(x: [n]) -> [] {{
  param w: [n] = 0
  return sum(w * {})
}}
train {{
  minimize = net(d.x)
  seed = 5
{}}}
)",
                     dtype, drawn, settings);
}

using Element = std::function<double(const RandomStream& stream, std::uint64_t step, std::uint64_t place)>;

double uniform_at(const RandomStream& stream, std::uint64_t step, std::uint64_t place) {
  return stream.uniform(step, place);
}
double normal_at(const RandomStream& stream, std::uint64_t step, std::uint64_t place) {
  return stream.normal(step, place);
}
double bernoulli_at(const RandomStream& stream, std::uint64_t step, std::uint64_t place) {
  return stream.uniform(step, place) < 0.3 ? 1 : 0;
}

/// What a stream adds up to along the batches of a training.
std::vector<double> collected(const TrainPlan& plan, int steps, const std::string& path,
                              const Element& element) {
  const RandomStream stream(5, path);
  std::vector<double> w(kWidth, 0);
  for (int step = 0; step < steps; ++step) {
    const std::vector<std::int64_t> rows = batch_of_step(plan, step);
    for (std::size_t i = 0; i < kWidth; ++i) {
      double sum = 0;
      for (const std::int64_t row : rows) {
        const auto place = static_cast<std::uint64_t>(row) * kWidth + i;
        sum += element(stream, static_cast<std::uint64_t>(step), place);
      }
      w[i] -= sum / static_cast<double>(rows.size());
    }
  }
  return w;
}

void check_collected(const std::string& drawn, const std::string& path, const Element& element,
                     const std::string& settings) {
  const TempFolder folder;
  LoadedProgram program(folder.write("net.dlg", collecting(drawn, settings)));
  INFO(drawn << settings << program.errors());
  REQUIRE(program.is_ok());
  constexpr int kSteps = 11;
  const std::vector<double> expected = collected(program.setup().plan, kSteps, path, element);
  for (const auto& laboratory : {program.compiled(), program.reference()}) {
    const std::optional<StateValues> end = laboratory->train_from(laboratory->initial(), kSteps);
    REQUIRE(end);
    for (std::size_t i = 0; i < kWidth; ++i) CHECK(end->at("net.w")[i] == Approx(expected[i]).epsilon(1e-12));
    CHECK(end->at("draws").front() == kSteps);
  }
}

TEST_CASE("random values depend on seed, path, micro-batch, row and element alone") {
  const std::string rule = "  optimizer = sgd(lr = 1)\n  stop = [100 steps]\n";
  for (const char* const way : {"", "  batch = 3\n  shuffle = none\n", "  batch = 2\n", "  batch = 1\n"}) {
    check_collected("uniform_like(x)", "net.uniform_like", uniform_at, rule + way);
    check_collected("normal_like(x)", "net.normal_like", normal_at, rule + way);
    check_collected("bernoulli_like(x, 0.3)", "net.bernoulli_like", bernoulli_at, rule + way);
  }
}

TEST_CASE("what is the same for all samples is drawn as row 0") {
  const std::string rule = "  optimizer = sgd(lr = 1)\n  stop = [100 steps]\n  batch = 3\n";
  const Element shared = [](const RandomStream& stream, std::uint64_t step, std::uint64_t place) {
    return stream.uniform(step, place % kWidth);
  };
  check_collected("uniform_like(w)", "net.uniform_like", shared, rule);
}

std::string with_everything(const std::string& settings, const std::string& dtype) {
  return fmt::format(R"(dlg 1
use {}
data d {{
  x = [[1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7], [6, 7, 8], [7, 8, 9], [1, 1, 2], [0, 1, 0], [2, 0, 1], [1, 5, 2]]
  t = [[1], [0], [1], [0], [0], [1], [1], [0], [1], [0], [1]]
}}
model net(x: [n]) -> [1] {{
  h = dense(x / 10 + 0.1 * normal_like(x), 33, tanh) |> batch_norm() |> dropout(0.4)
  return dense(dropout(h, 0.25) * (0.5 + uniform_like(h)), 1)
}}
train {{
  minimize = bce_logits(net(d.x), d.t) + 1e-3 * l2(params(net))
  optimizer = nesterov(lr = 0.05)
  batch = 4
  stop = [30 steps]
{}}}
)",
                     dtype, settings);
}

TEST_CASE("random values have the same bits for threads, targets, fusion and a share of the seed alone") {
  for (const std::string dtype : {"f32", "f64"}) {
    const std::string text = with_everything("", dtype);
    const std::string whole = trained_file(text, {{}});
    CHECK(whole.find("draws") != std::string::npos);
    CHECK(trained_file(text, {{"--threads", "1"}}) == whole);
    CHECK(trained_file(text, {{"--no-fuse"}}) == whole);
    CHECK(trained_file(text, {{"--no-fuse-update"}}) == whole);
    CHECK(trained_file(text, {{"--target", "avx2"}}) == trained_file(text, {{"--target", "avx512"}}));
    CHECK(trained_file(text, {{"--seed", "2"}}) != whole);
  }
}

TEST_CASE("a training that draws, stopped anywhere, goes on with the same draws") {
  const std::string text = with_everything("  accumulate = 2\n", "f64");
  const std::string whole = trained_file(text, {{}});
  std::mt19937_64 random(17);
  for (int i = 0; i < 50; ++i) {
    const std::uint64_t step = 1 + random() % 29;
    INFO(step);
    CHECK(trained_file(text, stopped_at(fmt::format("{} steps", step), "30 steps")) == whole);
  }
}

TEST_CASE("applications of a model draw one after the other, metrics draw what the objective drew") {
  const std::string objective = "minimize = net(d.x)";
  std::string twice = collecting("uniform_like(x)", "  optimizer = sgd(lr = 1)\n  stop = [1 steps]\n");
  twice.replace(twice.find(objective), objective.size(), "minimize = net(d.x) + net(d.x)");
  const TempFolder folder;
  LoadedProgram program(folder.write("net.dlg", twice));
  INFO(program.errors());
  REQUIRE(program.is_ok());
  const auto laboratory = program.compiled();
  const std::optional<StateValues> end = laboratory->train_from(laboratory->initial(), 1);
  const auto first = collected(program.setup().plan, 1, "net.uniform_like", uniform_at);
  const auto second = collected(program.setup().plan, 1, "net.uniform_like#2", uniform_at);
  for (std::size_t i = 0; i < kWidth; ++i)
    CHECK(end->at("net.w")[i] == Approx(first[i] + second[i]).epsilon(1e-12));
}

TEST_CASE("a sample is that of its number, whatever was asked for besides it") {
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg") << collecting("x",
                                         "  optimizer = sgd(lr = 0.1)\n  stop = [1 steps]\n"
                                         "  sample = normal_like(spread(0, 2))\n");
  REQUIRE(call_dlg({"train", "net.dlg"}).exit_code == 0);
  const Called few = call_dlg({"sample", "net.dlg", "--count", "3"});
  const Called many = call_dlg({"sample", "net.dlg", "--count", "300"});
  INFO(few.err);
  REQUIRE(few.exit_code == 0);
  CHECK(many.out.starts_with(few.out));
  CHECK(call_dlg({"sample", "net.dlg", "--count", "3", "--seed", "6"}).out != few.out);
  const RandomStream stream(5, "normal_like");
  const std::string row = few.out.substr(few.out.find('\n') + 1);
  CHECK(leading_number(row) == Approx(stream.normal(0, 0)).epsilon(1e-8));
  CHECK(leading_number(row.substr(row.find(',') + 1)) == Approx(stream.normal(0, 1)).epsilon(1e-8));
}

TEST_CASE("samples of a variational autoencoder are written as CSV and as a picture") {
  const std::string file = source_path("examples/digits/vae.dlg");
  const EmptyWorkingFolder folder;
  REQUIRE(call_dlg({"train", file, "--set", "stop=5 steps"}).exit_code == 0);
  const Called called = call_dlg({"sample", file, "--count", "64", "--out", "s.csv", "--picture", "s.png"});
  INFO(called.err);
  REQUIRE(called.exit_code == 0);
  CHECK(read_text("s.png").starts_with("\x89PNG"));
  const std::string csv = read_text("s.csv");
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 65);
  CHECK(call_dlg({"sample", file, "--out", file}).exit_code != 0);
  CHECK(call_dlg({"sample", file, "--out", "s.csv", "--picture", "s.csv"}).exit_code == 2);
}

}  // namespace
