// Owns the tests of indices as a user writes them: inside, and just outside on both ends, for every way to an
// index, element type, batch, target and number of threads, against a training that is done by hand.
#include <array>
#include <cmath>
#include <fstream>

#include "runtime/safetensors.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"
#include "tests/engines/engines.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr int kRows = 3;  // of the table
constexpr int kSamples = 6;
constexpr int kOddSample = 5;  // the one whose index lies outside
constexpr double kRate = 0.25;

struct Sample {
  std::array<int, 2> i;
  std::array<double, 3> x;
};

/// Who finds an index outside: the reader of the data, or the step.
enum class FoundBy { kReader, kStep };

/// A way to an index.
struct Way {
  std::string name;
  std::string expression;
  int (*index)(const Sample&);
  FoundBy found_by = FoundBy::kReader;
  int element = 0;  // of `i` that is put outside
};

int larger_of_two(const Sample& s) {
  return s.x[1] > s.x[0] ? 1 : 0;
}

const std::vector<Way> kWays = {
    {"element", "i[0]", [](const Sample& s) { return s.i[0]; }},
    {"other element", "i[1]", [](const Sample& s) { return s.i[1]; }, FoundBy::kReader, 1},
    {"function", "second(i)", [](const Sample& s) { return s.i[1]; }, FoundBy::kReader, 1},
    {"reshape", "(i as [one: 1, two: 2])[0, 1]", [](const Sample& s) { return s.i[1]; }, FoundBy::kReader, 1},
    {"transpose", "transpose(i as [one: 1, two: 2])[1, 0]", [](const Sample& s) { return s.i[1]; },
     FoundBy::kReader, 1},
    {"slice", "i[0..1][1]", [](const Sample& s) { return s.i[1]; }, FoundBy::kReader, 1},
    {"chosen", "where(x[0] > 0, i[0], i[1])", [](const Sample& s) { return s.x[0] > 0 ? s.i[0] : s.i[1]; },
     FoundBy::kStep},
    {"chosen by a name", "either(x, i)", [](const Sample& s) { return s.x[0] > 0 ? s.i[0] : s.i[1]; },
     FoundBy::kStep},
    {"chosen or a number", "where(x[0] > 0, i[0], 2)",
     [](const Sample& s) { return s.x[0] > 0 ? s.i[0] : 2; }, FoundBy::kStep},
    {"chosen or the largest", "where(x[0] > 0, i[0], argmax(x[0..1]))",
     [](const Sample& s) { return s.x[0] > 0 ? s.i[0] : larger_of_two(s); }, FoundBy::kStep},
};

std::vector<Sample> samples_inside() {
  std::vector<Sample> samples;
  for (int n = 0; n < kSamples; ++n) {
    const double sign = n % 2 == 0 ? -1 : 1;
    samples.push_back({{n % kRows, (n + 1) % kRows}, {sign * (1 + n), n == 3 ? 9.0 : -8.0, 0.5}});
  }
  return samples;
}

/// How the program is run.
struct Run {
  bool is_f64 = false;
  int batch = kSamples;
  std::string target;
  int threads = 1;
};

std::string program_of(const Way& way, const Run& run, const std::vector<Sample>& samples) {
  std::string i;
  std::string x;
  for (const Sample& s : samples) {
    i += fmt::format("{}[{}, {}]", i.empty() ? "" : ", ", s.i[0], s.i[1]);
    x += fmt::format("{}[{:.1f}, {:.1f}, {:.1f}]", x.empty() ? "" : ", ", s.x[0], s.x[1], s.x[2]);
  }
  return fmt::format(
      "dlg 1\n{}data d {{\n  i = [{}]\n  x = [{}]\n}}\n"
      "fn second(k: i32[2]) -> i32[] = k[1]\n"
      "fn either(x: [3], k: i32[2]) -> i32[] = where(x[0] > 0, k[0], k[1])\n"
      "model m(x: [3], i: i32[2]) -> [] {{\n  param W: [{}] = 1\n  return gather(W, {})\n}}\n"
      "train {{\n  minimize = m(d.x, d.i)^2\n  optimizer = sgd(lr = {})\n  batch = {}\n  shuffle = none\n"
      "  stop = [2 epochs]\n}}\n",
      run.is_f64 ? "use f64\n" : "", i, x, kRows, way.expression, kRate, run.batch);
}

/// The table after the training, and the step in which an index lies outside.
struct ByHand {
  std::vector<double> table = std::vector<double>(kRows, 1.0);
  std::optional<int> bad_step;
};

ByHand train_by_hand(const Way& way, const Run& run, const std::vector<Sample>& samples) {
  ByHand result;
  const int epoch_steps = (kSamples + run.batch - 1) / run.batch;
  for (int step = 0; step < 2 * epoch_steps; ++step) {
    const int first = step % epoch_steps * run.batch;
    const int last = std::min(first + run.batch, kSamples);
    std::vector<double> gradient(kRows, 0.0);
    for (int n = first; n < last; ++n) {
      const int index = way.index(samples[static_cast<std::size_t>(n)]);
      if (index < 0 || index >= kRows) return {result.table, step + 1};
      const auto row = static_cast<std::size_t>(index);
      gradient[row] += 2 * result.table[row] / (last - first);
    }
    for (std::size_t row = 0; row < kRows; ++row) result.table[row] -= kRate * gradient[row];
  }
  return result;
}

Called train(const std::string& text, const Run& run) {
  std::ofstream("net.dlg") << text;
  std::vector<std::string> words{"train", "net.dlg", "--quiet", "--threads", std::to_string(run.threads)};
  if (!run.target.empty()) words.insert(words.end(), {"--target", run.target});
  return call_dlg(words);
}

void require_table(const std::vector<double>& expected, double tolerance) {
  Diagnostics diagnostics;
  const auto file =
      read_safetensors({"runs/0001-net/weights.safetensors", "", {}}, ChecksumRule::kIfPresent, diagnostics);
  REQUIRE(file.has_value());
  const SavedTensor* table = file->find("m.W");
  REQUIRE(table != nullptr);
  for (std::size_t row = 0; row < expected.size(); ++row) {
    CHECK(std::abs(table->element(static_cast<std::int64_t>(row)) - expected[row]) <= tolerance);
  }
}

/// Whole and ragged batches (in the straight form and in loops), both types; targets and threads in turn.
std::vector<Run> runs() {
  std::vector<Run> all;
  const std::vector<Target> targets = runnable_targets();
  for (const bool is_f64 : {false, true}) {
    for (const int batch : {kSamples, 4}) {
      const std::string target(target_name(targets[all.size() % targets.size()]));
      all.push_back({is_f64, batch, target == "host" ? "" : target, 1 + static_cast<int>(all.size()) % 3});
    }
  }
  return all;
}

std::string text_of(const Way& way, const Run& run) {
  return fmt::format("{}, {}, batch {}, target `{}`, {} threads", way.name, run.is_f64 ? "f64" : "f32",
                     run.batch, run.target, run.threads);
}

void check_outside(const Way& way, const Run& run, int outside) {
  INFO(text_of(way, run) << ", " << outside);
  const EmptyWorkingFolder folder;
  std::vector<Sample> samples = samples_inside();
  samples[kOddSample].i[static_cast<std::size_t>(way.element)] = outside;
  const Called called = train(program_of(way, run, samples), run);
  INFO(called.err);
  const auto says = [&](const std::string& text) { return called.err.find(text) != std::string::npos; };
  CHECK(says(fmt::format("is {} in sample {}", outside, kOddSample)));
  if (way.found_by == FoundBy::kReader) {
    CHECK(called.exit_code == 1);
    CHECK_FALSE(std::filesystem::exists("runs"));
    return;
  }
  REQUIRE(called.exit_code == 5);
  const ByHand expected = train_by_hand(way, run, samples);
  REQUIRE(expected.bad_step.has_value());
  CHECK(says(fmt::format("step {} was not made", *expected.bad_step)));
  CHECK(says("`W` with 3 rows"));
  CHECK(says("gather(W, "));
  require_table(expected.table, run.is_f64 ? 1e-15 : 1e-6);
}

}  // namespace

TEST_CASE("indices inside train as by hand") {
  for (const Way& way : kWays) {
    for (const Run& run : runs()) {
      INFO(text_of(way, run));
      const EmptyWorkingFolder folder;
      const std::vector<Sample> samples = samples_inside();
      const Called called = train(program_of(way, run, samples), run);
      INFO(called.err);
      REQUIRE(called.exit_code == 0);
      require_table(train_by_hand(way, run, samples).table, run.is_f64 ? 1e-15 : 1e-6);
    }
  }
}

TEST_CASE("an index outside is told of with its sample, and nothing of its step is kept") {
  for (const Way& way : kWays) {
    for (const Run& run : runs()) {
      for (const int outside : {-1, kRows, 900000}) check_outside(way, run, outside);
    }
  }
}

TEST_CASE("elements of a field that are no index may be any number") {
  for (const Way& way : kWays) {
    const EmptyWorkingFolder folder;
    std::vector<Sample> samples = samples_inside();
    // Sample 5 takes element 0 where it chooses.
    samples[kOddSample].i[way.element == 0 ? 1 : 0] = 1000;
    INFO(way.name);
    const Called called = train(program_of(way, {}, samples), {});
    INFO(called.err);
    REQUIRE(called.exit_code == 0);
    require_table(train_by_hand(way, {}, samples).table, 1e-6);
  }
}

TEST_CASE("an index that is known without data is an error where it stands") {
  struct Case {
    std::string expression;
    std::string message;  // empty: it is inside
  };
  const std::vector<Case> cases = {
      {"gather(W, 2)", ""},
      {"gather(W, 3)", "index 3 is outside of an axis of 3"},
      {"gather(W, -1)", "index -1 is outside of an axis of 3"},
      {"gather(W, 90000000)", "index 90000000 is outside of an axis of 3"},
      {"gather(W, n - 1)", ""},
      {"gather(W, n)", "index 3 is outside of an axis of 3"},
      {"gather(W, half * 6)", "index 3 is outside of an axis of 3"},
      {"gather(W, last(n))", ""},
      {"gather(W, last(n + 1))", "index 3 is outside of an axis of 3"},
      {"sum(gather(W, [0, 2]))", ""},
      {"sum(gather(W, [0, 3]))", "the index may be 0 to 3, which is not inside of an axis of 3"},
      {"sum(gather(W, [-1, 2]))", "the index may be -1 to 2, which is not inside of an axis of 3"},
      {"gather(W, [0, 7, 2][1])", "index 7 is outside of an axis of 3"},
      {"gather(W, argmax(x))", ""},
      {"gather(W, argmax(y))", "the index may be 0 to 3, which is not inside of an axis of 3"},
      {"gather(W, argmax(y[0..2]))", ""},
      {"gather(W, where(x[0] > 0, argmax(x), argmax(y)))",
       "the index may be 0 to 3, which is not inside of an axis of 3"},
      {"sum(one_hot(2, 3) * W)", ""},
      {"sum(one_hot(3, 3) * W)", "index 3 is outside of an axis of 3"},
      {"sum(one_hot(argmax(y), 3) * W)", "the index may be 0 to 3, which is not inside of an axis of 3"},
      {"cross_entropy(x, argmax(y))", "the index may be 0 to 3, which is not inside of an axis of 3"},
  };
  for (const Case& one : cases) {
    const EmptyWorkingFolder folder;
    std::ofstream("net.dlg") << "dlg 1\ndim n = 3\nconst half = 0.5\ndata d {\n  x = [[0.0, 1.0, 5.0]]\n"
                                "  y = [[0.0, 1.0, 5.0, 2.0]]\n}\nfn last(size) = size - 1\n"
                                "model m(x: [3], y: [4]) -> [] {\n  param W: [3] = 1\n  return "
                             << one.expression
                             << "\n}\ntrain {\n  minimize = m(d.x, d.y)^2\n  optimizer = sgd(lr = 0.1)\n"
                                "  stop = [1 steps]\n}\n";
    const Called called = call_dlg({"check", "net.dlg"});
    INFO(one.expression << "\n" << called.err);
    CHECK(called.exit_code == (one.message.empty() ? 0 : 1));
    if (!one.message.empty()) CHECK(called.err.find("DLG0310]: " + one.message) != std::string::npos);
  }
}
