// Owns the proof that softmax and cross entropy in f32 keep their digits, however large the logits are:
// millions of random rows against f64. DLG_LOGITS_ROWS says how many.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <random>

#include "driver/engine/programs.h"
#include "ir/graph/rewriter.h"
#include "passes/derive/differentiate.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr std::int64_t kBlock = 2048;
constexpr std::array<std::int64_t, 5> kClasses{2, 3, 10, 33, 257};

/// Rows of all blocks together.
std::int64_t rows_to_run(std::int64_t fallback) {
  const char* text = std::getenv("DLG_LOGITS_ROWS");
  return text == nullptr ? fallback : std::strtoll(text, nullptr, 10);
}

std::string program_of(std::int64_t classes) {
  const std::string row = fmt::format("{}", fmt::join(std::vector<std::string>(classes, "0.0"), ", "));
  return fmt::format(R"(dlg 1
data d {{
  x = [[{}]]
  t = [0]
}}
model net(x: [{}]) -> [{}] {{
  param w: [] = 1
  return w * x
}}
loss ce(x: [{}], t: i32[]) -> [] {{
  y = net(x)
  p = softmax(y)
  e = cross_entropy(y, t)
  return e
}}
train {{
  minimize  = ce(d.x, d.t)
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}}
)",
                     row, classes, classes, classes);
}

/// Rows of logits with their targets, and what the compiled code makes of them.
struct Block {
  std::vector<float> x;
  std::vector<std::int32_t> t;
};

/// Scales from 1 to 1e7, offsets from -1e7 to 1e7; now and then ties and rows of one value.
Block random_block(std::mt19937_64& random, std::int64_t classes) {
  std::uniform_real_distribution<double> unit(0, 1);
  Block block;
  for (std::int64_t row = 0; row < kBlock; ++row) {
    const double scale = unit(random) < 0.02 ? 0 : std::pow(10, 7 * unit(random));
    const double offset = (unit(random) < 0.5 ? -1 : 1) * std::pow(10, 9 * unit(random) - 2);
    for (std::int64_t i = 0; i < classes; ++i) {
      block.x.push_back(static_cast<float>(offset + scale * (2 * unit(random) - 1)));
    }
    if (unit(random) < 0.1) block.x.back() = block.x[block.x.size() - 2];
    block.t.push_back(static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(classes)));
  }
  return block;
}

double cross_entropy_of(const float* x, std::int64_t classes, std::int32_t target) {
  const double largest = *std::max_element(x, x + classes);
  double total = 0;
  for (std::int64_t i = 0; i < classes; ++i) total += std::exp(static_cast<double>(x[i]) - largest);
  return std::log(total) - (static_cast<double>(x[target]) - largest);
}

/// Two units in the last place of f32, or 1e-7.
double allowed(double value) {
  const auto single = static_cast<float>(value);
  const double ulp = static_cast<double>(std::nextafter(single, std::numeric_limits<float>::infinity())) -
                     static_cast<double>(single);
  return std::max(1e-7, 2 * ulp);
}

struct Worst {
  double total = 0;    // distance of a sum of probabilities from 1
  double entropy = 0;  // distance of a cross entropy from f64, in terms of what is allowed
  std::string text;    // where
};

void look_at(const Block& block, std::int64_t classes, const std::vector<double>& p,
             const std::vector<double>& e, Worst& worst) {
  for (std::int64_t row = 0; row < kBlock; ++row) {
    double total = 0;
    for (std::int64_t i = 0; i < classes; ++i) total += p[static_cast<std::size_t>(row * classes + i)];
    worst.total = std::max(worst.total, std::abs(total - 1));
    const auto at = static_cast<std::size_t>(row);
    const double expected =
        cross_entropy_of(&block.x[at * static_cast<std::size_t>(classes)], classes, block.t[at]);
    const double distance = std::abs(e[at] - expected) / allowed(expected);
    if (distance <= worst.entropy) continue;
    worst.entropy = distance;
    worst.text = fmt::format("{} classes: {:.9g}, in f64 {:.9g}", classes, e[at], expected);
  }
}

Worst run_rows(std::int64_t rows) {
  Worst worst;
  std::mt19937_64 random(20);
  for (const std::int64_t classes : kClasses) {
    const TempFolder folder;
    LoadedProgram loaded(folder.write("logits.dlg", program_of(classes)));
    INFO(loaded.errors());
    REQUIRE(loaded.is_ok());
    const Inspection inspection = inspect(loaded.program());
    Graph graph = with_outputs(inspection.graph, {{"p", *inspection.graph.find_output("value.ce.p")},
                                                  {"e", *inspection.graph.find_output("value.ce.e")}});
    graph.batch = kBlock;
    const auto machine = make_observer(loaded.session(), graph, loaded.data());
    REQUIRE(machine);
    std::vector<std::int64_t> order(kBlock);
    for (std::int64_t i = 0; i < kBlock; ++i) order[static_cast<std::size_t>(i)] = i;
    machine->set_states(initial_states(machine->graph(), 1));
    const auto share = static_cast<std::int64_t>(kClasses.size()) * kBlock;
    for (std::int64_t block_number = 0; block_number < (rows + share - 1) / share; ++block_number) {
      const Block block = random_block(random, classes);
      machine->bind({{"d.x", {DType::kF32, block.x.data()}}, {"d.t", {DType::kI32, block.t.data()}}});
      machine->run_rows(order);
      look_at(block, classes, machine->output("p", kBlock), machine->output("e", kBlock), worst);
    }
  }
  return worst;
}

void check_rows(std::int64_t rows) {
  const Worst worst = run_rows(rows);
  fmt::print(
      "{} rows of logits: probabilities add up to 1 within {:.2e}, cross entropy at most {:.2f} of what "
      "is allowed ({})\n",
      rows, worst.total, worst.entropy, worst.text);
  CHECK(worst.total <= 1e-6);
  CHECK(worst.entropy <= 1);
}

TEST_CASE("f32: probabilities add up to 1 and cross entropy keeps its digits at any size of logits") {
  check_rows(rows_to_run(100'000));
}

TEST_CASE("the same of ten million rows", "[.logits]") {
  check_rows(rows_to_run(10'000'000));
}

}  // namespace
