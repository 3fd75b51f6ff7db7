// The order of sums, which follows from the logical shape alone: lowered ops against the rule written out by
// hand, bit for bit in f32, where every other order shows.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>

#include "ir/ops/expr.h"
#include "tests/catch.h"
#include "tests/engines/engines.h"
#include "tests/ops/op_samples.h"
#include "tests/step_forms.h"

namespace dlg {
namespace {

constexpr std::int64_t kLaneCount = 16;
constexpr std::int64_t kLongest = 256;

enum class Form { kChains, kLanes };
/// Whether all points of a sum count.
enum class Points { kAll, kSome };

/// Where a term stands: one index per axis, and where the operands have it.
using Place = std::vector<std::int64_t>;
/// The next value of a chain.
using Term = std::function<float(const Place& place, float chain)>;

/// What is summed, axes from outermost to innermost with their declared extents; of the innermost only the
/// first `valid` indices are there.
struct Axes {
  std::vector<std::int64_t> extents;
  std::int64_t valid = 0;
};

/// Numbers in runs of 256, runs in runs of 256, each from -0, in order.
float in_runs(const std::map<std::int64_t, float>& numbered) {
  if (numbered.size() == 1) return numbered.begin()->second;
  std::map<std::int64_t, float> runs;
  for (const auto& [number, value] : numbered) {
    const auto [run, is_new] = runs.emplace(number / kLongest, -0.0f);
    run->second += value;
  }
  return in_runs(runs);
}

float joined(std::vector<float> lanes) {
  for (std::size_t half = lanes.size() / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

/// Every point in loop order goes to the block that its indices say. Where points are left out, by a term
/// that gives the chain as it is, chains begin with -0, and +0 is added at the end.
float by_rule(const Axes& axes, Form form, const Term& term, Points points = Points::kAll) {
  const std::size_t count = axes.extents.size();
  std::vector<std::int64_t> counted = axes.extents;
  if (form == Form::kLanes) counted.back() = (counted.back() + kLaneCount - 1) / kLaneCount;
  // Indices of each axis that share a block.
  std::vector<std::int64_t> pieces(count, 1);
  std::int64_t product = 1;
  for (std::size_t axis = count; axis-- > 0;) {
    const bool joins = product * counted[axis] <= kLongest;
    pieces[axis] = joins ? counted[axis] : kLongest / product;
    product *= counted[axis];
    if (!joins) break;
  }
  if (form == Form::kLanes) pieces.back() *= kLaneCount;
  std::map<std::int64_t, std::vector<float>> blocks;
  Place place(count, 0);
  while (place[0] < axes.extents[0]) {
    std::int64_t number = 0;
    for (std::size_t axis = 0; axis < count; ++axis)
      number = number * ((axes.extents[axis] + pieces[axis] - 1) / pieces[axis]) + place[axis] / pieces[axis];
    const bool has_lanes = form == Form::kLanes;
    std::vector<float>& chains = blocks
                                     .try_emplace(number, has_lanes ? kLaneCount : 1,
                                                  has_lanes || points == Points::kSome ? -0.0f : 0.0f)
                                     .first->second;
    float& chain = chains[has_lanes ? static_cast<std::size_t>(place.back() % kLaneCount) : 0];
    chain = term(place, chain);
    for (std::size_t axis = count; axis-- > 0;) {
      const std::int64_t end = axis + 1 == count ? axes.valid : axes.extents[axis];
      if (++place[axis] < end || axis == 0) break;
      place[axis] = 0;
    }
    if (count == 1 && place[0] >= axes.valid) break;
  }
  std::map<std::int64_t, float> sums;
  for (const auto& [number, chains] : blocks) sums[number] = joined(chains);
  return points == Points::kSome ? in_runs(sums) + 0.0f : in_runs(sums);
}

struct Sums {
  Graph graph;
  Builder builder{graph};
  Environment<double> environment;

  explicit Sums(std::int64_t batch = 1) { graph.batch = batch; }

  Expr leaf(const std::string& path, const Shape& shape) {
    return {&builder, add_leaf(builder, path, {DType::kF32, shape})};
  }

  void fill(Tensor<double>& tensor, const std::string& path) const {
    std::mt19937_64 random(path.front());
    for (double& x : tensor.elements) x = static_cast<double>(static_cast<float>(signed_unit(random)));
  }

  /// The single output, the same from the loop interpreter and from compiled code.
  std::vector<double> run(Expr y, std::int64_t rows = 1) {
    graph.outputs = {{"y", y.value}};
    environment = default_environment(graph);
    for (auto& [path, tensor] : environment.states) fill(tensor, path);
    for (auto& [path, tensor] : environment.inputs) fill(tensor, path);
    environment.rows = rows;
    const loop::Program program = lowered(graph);
    const std::vector<double> loops = run_loops(program, environment).at("y");
    for (const Target target : runnable_targets()) {
      const bool is_fused = fusing_of(target) == loop::Fusing::kOnce;
      const std::vector<double> expected =
          is_fused ? loops : run_loops(program, environment, fusing_of(target)).at("y");
      for (const StepForm form : test::step_forms(program))
        check({program, {.target = target, .form = form}, {}}, expected);
    }
    return loops;
  }

  void check(const test::GuardedProgram& compiled, const std::vector<double>& expected) {
    for (const std::int64_t workers : {0, 2, 3}) {
      const StepRun found = run_compiled(compiled, environment, workers);
      CHECK(found.fault == "");
      CHECK(found.values.at("y") == expected);
    }
  }

  float at(const std::string& path, std::int64_t i) const {
    const bool is_input = environment.inputs.contains(path);
    const Tensor<double>& tensor = is_input ? environment.inputs.at(path) : environment.states.at(path);
    return static_cast<float>(tensor.elements[static_cast<std::size_t>(i)]);
  }
};

constexpr std::int64_t kExtents[] = {1, 15, 16, 17, 255, 256, 257, 1000, 4095, 4096, 4097, 65536, 65537};

}  // namespace

TEST_CASE("a sum runs in 16 lanes, a tree for each 4096 elements, and runs of 256 trees") {
  for (const std::int64_t count : kExtents) {
    Sums sums;
    const double found = sums.run(sum(sums.leaf("x", {count}), {0}))[0];
    INFO(count);
    const Term term = [&](const Place& place, float lane) { return lane + sums.at("x", place[0]); };
    CHECK(found == static_cast<double>(by_rule({{count}, count}, Form::kLanes, term)));
  }
  // More than 256 trees.
  const std::int64_t many = 4096 * 256 + 4096 * 3 + 5;
  Sums sums;
  const double found = sums.run(sum(sums.leaf("x", {many}), {0}))[0];
  const Term term = [&](const Place& place, float lane) { return lane + sums.at("x", place[0]); };
  CHECK(found == static_cast<double>(by_rule({{many}, many}, Form::kLanes, term)));
}

TEST_CASE("a sum over several axes has lanes of the innermost and one tree for a block") {
  const std::vector<std::vector<std::int64_t>> shapes{
      {21, 37},    {3, 255},    {257, 16},    {257, 1},    {5, 3, 17}, {1, 40},        {40, 1},
      {300, 4097}, {17, 65537}, {2, 9, 4096}, {33, 20, 7}, {700, 129}, {66000, 2, 33}, {4, 70000, 2}};
  for (const std::vector<std::int64_t>& shape : shapes) {
    Sums sums;
    std::vector<std::int64_t> axes(shape.size());
    for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<std::int64_t>(i);
    const double found = sums.run(sum(sums.leaf("x", Shape(shape)), axes))[0];
    INFO(shape_text(Shape(shape)));
    const Term term = [&](const Place& place, float lane) {
      std::int64_t flat = 0;
      for (std::size_t i = 0; i < shape.size(); ++i) flat = flat * shape[i] + place[i];
      return lane + sums.at("x", flat);
    };
    CHECK(found == static_cast<double>(by_rule({shape, shape.back()}, Form::kLanes, term)));
  }
}

TEST_CASE("the batch is the innermost axis of a sum, with its declared extent") {
  struct Case {
    std::int64_t batch;
    std::int64_t rows;
    std::int64_t width;
  };
  const Case cases[] = {{1, 1, 40},        {16, 16, 20},    {37, 20, 5},       {300, 255, 3},
                        {4097, 1, 2},      {4097, 4096, 2}, {9000, 4100, 300}, {9000, 9000, 300},
                        {70000, 5000, 40}, {20, 17, 70000}, {12289, 1, 600}};
  for (const auto& [batch, rows, width] : cases) {
    Sums sums(batch);
    const double found = sums.run(sum(sums.leaf("x", {kBatch, width}), {0, 1}), rows)[0];
    INFO(fmt::format("batch {}, rows {}, width {}", batch, rows, width));
    const Term term = [&, columns = width](const Place& place, float lane) {
      return lane + sums.at("x", place[1] * columns + place[0]);
    };
    CHECK(found == static_cast<double>(by_rule({{width, batch}, rows}, Form::kLanes, term)));
  }
}

TEST_CASE("a sum over the batch for each of some columns") {
  for (const std::int64_t rows : {1, 16, 4096, 4097, 5000}) {
    Sums sums(5000);
    const auto found = sums.run(sum(sums.leaf("x", {kBatch, 19}), {0}), rows);
    INFO(rows);
    for (std::int64_t j = 0; j < 19; ++j) {
      const Term term = [&](const Place& place, float lane) {
        return lane + sums.at("x", place[0] * 19 + j);
      };
      const float expected = by_rule({{5000}, rows}, Form::kLanes, term);
      CHECK(found[static_cast<std::size_t>(j)] == static_cast<double>(expected));
    }
  }
}

TEST_CASE("a contraction with free axes below 8 runs in lanes, with one of 8 in chains") {
  for (const std::int64_t free : {7, 8, 35}) {
    for (const std::int64_t count : kExtents) {
      Sums sums;
      const auto found =
          sums.run(contract(sums.leaf("w", {free, count}), sums.leaf("x", {count}), "oi,i->o"));
      INFO(fmt::format("{} sums of {}", free, count));
      for (std::int64_t o = 0; o < free; ++o) {
        const Term term = [&](const Place& place, float chain) {
          return std::fma(sums.at("w", o * count + place[0]), sums.at("x", place[0]), chain);
        };
        const float expected = by_rule({{count}, count}, free < 8 ? Form::kLanes : Form::kChains, term);
        CHECK(found[static_cast<std::size_t>(o)] == static_cast<double>(expected));
      }
    }
  }
}

TEST_CASE("several contracted axes make blocks together, the last innermost") {
  const std::int64_t shapes[][2] = {{5, 11}, {16, 16},  {2, 257},   {9, 100},   {300, 3},  {1, 40},
                                    {40, 1}, {70, 200}, {600, 129}, {400, 257}, {700, 300}};
  for (const auto& [outer, inner] : shapes) {
    for (const std::int64_t free : {3, 9}) {
      Sums sums;
      const Expr a = sums.leaf("a", {outer, inner});
      const auto found = sums.run(contract(a, sums.leaf("b", {outer, inner, free}), "ij,ijo->o"));
      INFO(fmt::format("{} sums of {} x {}", free, outer, inner));
      for (std::int64_t o = 0; o < free; ++o) {
        const Term term = [&, columns = inner](const Place& place, float chain) {
          const std::int64_t at = place[0] * columns + place[1];
          return std::fma(sums.at("a", at), sums.at("b", at * free + o), chain);
        };
        const Form form = free < 8 ? Form::kLanes : Form::kChains;
        const float expected = by_rule({{outer, inner}, inner}, form, term);
        CHECK(found[static_cast<std::size_t>(o)] == static_cast<double>(expected));
      }
    }
  }
}

TEST_CASE("the batch is the innermost axis of a contraction, and missing rows shift nothing") {
  struct Case {
    std::int64_t batch;
    std::int64_t rows;
    std::int64_t tokens;
  };
  const Case cases[] = {{32, 32, 20},  {32, 7, 20},     {256, 256, 3},   {257, 256, 3},  {257, 3, 300},
                        {600, 1, 200}, {600, 300, 200}, {600, 600, 200}, {1500, 257, 60}};
  for (const auto& [batch, rows, tokens] : cases) {
    for (const std::int64_t free : {2, 8}) {
      Sums sums(batch);
      const Expr g = sums.leaf("g", {kBatch, tokens, free});
      const auto found = sums.run(contract(g, sums.leaf("x", {kBatch, tokens, 5}), "bto,bti->oi"), rows);
      INFO(fmt::format("batch {}, rows {}, tokens {}, {} sums", batch, rows, tokens, 5 * free));
      for (std::int64_t o = 0; o < free; ++o) {
        const Term term = [&, length = tokens](const Place& place, float chain) {
          const std::int64_t at = place[1] * length + place[0];
          return std::fma(sums.at("g", at * free + o), sums.at("x", at * 5 + 3), chain);
        };
        const Form form = free < 8 ? Form::kLanes : Form::kChains;
        const float expected = by_rule({{tokens, batch}, rows}, form, term);
        CHECK(found[static_cast<std::size_t>(o * 5 + 3)] == static_cast<double>(expected));
      }
    }
  }
}

namespace {

/// A convolution of 5 taps on 6 places, 2 of them before the first one.
void check_taps(std::int64_t channels, std::int64_t free) {
  Sums sums;
  const Expr x = sums.leaf("x", {6, channels});
  const Expr k = sums.leaf("k", {free, 5, channels});
  const auto found = sums.run(contract(x, k, contract_labels("(x+s-2)c,osc->xo"), {6, free}));
  INFO(fmt::format("{} sums over 5 taps of {}", free, channels));
  for (std::int64_t i = 0; i < 6 * free; ++i) {
    const Term term = [&, o = i % free](const Place& place, float chain) {
      const std::int64_t at = i / free + place[0] - 2;
      if (at < 0 || at >= 6) return chain;
      return std::fma(sums.at("x", at * channels + place[1]),
                      sums.at("k", (o * 5 + place[0]) * channels + place[1]), chain);
    };
    const Form form = free < 8 ? Form::kLanes : Form::kChains;
    const float expected = by_rule({{5, channels}, channels}, form, term, Points::kSome);
    CHECK(found[static_cast<std::size_t>(i)] == static_cast<double>(expected));
  }
}

/// Its transpose, with a stride.
void check_taps_on_result(std::int64_t channels, std::int64_t stride) {
  Sums sums;
  const Expr g = sums.leaf("g", {4, channels});
  const Expr k = sums.leaf("k", {5, channels});
  const std::string labels = fmt::format("xo,so->({}x+s-1)", stride);
  const auto found = sums.run(contract(g, k, contract_labels(labels), {9}));
  for (std::int64_t h = 0; h < 9; ++h) {
    const Term term = [&](const Place& place, float chain) {
      const std::int64_t from = h + 1 - place[0];
      if (from < 0 || from % stride != 0 || from / stride >= 4) return chain;
      return std::fma(sums.at("g", from / stride * channels + place[1]),
                      sums.at("k", place[0] * channels + place[1]), chain);
    };
    const float expected = by_rule({{5, channels}, channels}, Form::kChains, term, Points::kSome);
    CHECK(found[static_cast<std::size_t>(h)] == static_cast<double>(expected));
  }
}

}  // namespace

TEST_CASE("window taps come first in a sum, and those outside shift nothing") {
  for (const std::int64_t channels : {3, 100, 300}) {
    for (const std::int64_t free : {2, 8}) check_taps(channels, free);
  }
}

TEST_CASE("a window on the result runs over its taps") {
  for (const std::int64_t channels : {3, 40}) {
    for (const std::int64_t stride : {1, 2}) check_taps_on_result(channels, stride);
  }
}

/// More than 256 blocks, of which the first and the last row of the image have none for some taps.
TEST_CASE("a sum over a whole image counts blocks that are left out") {
  for (const std::int64_t free : {2, 8}) {
    Sums sums;
    const Expr g = sums.leaf("g", {300, 257, free});
    const Expr x = sums.leaf("x", {300, 257});
    const auto found = sums.run(contract(g, x, contract_labels("yxo,(y+r-1)x->or"), {free, 3}));
    for (std::int64_t i = 0; i < 3 * free; ++i) {
      const Term term = [&, r = i % 3](const Place& place, float chain) {
        const std::int64_t at = place[0] + r - 1;
        if (at < 0 || at >= 300) return chain;
        return std::fma(sums.at("g", (place[0] * 257 + place[1]) * free + i / 3),
                        sums.at("x", at * 257 + place[1]), chain);
      };
      const Form form = free < 8 ? Form::kLanes : Form::kChains;
      const float expected = by_rule({{300, 257}, 257}, form, term, Points::kSome);
      CHECK(found[static_cast<std::size_t>(i)] == static_cast<double>(expected));
    }
  }
}

TEST_CASE("matrix products of every length have the same bits on all targets and workers") {
  for (const std::int64_t count : {255, 256, 257, 784, 4096}) {
    Sums sums(33);
    const Expr x = sums.leaf("x", {kBatch, count});
    const auto found = sums.run(contract(x, sums.leaf("w", {70, count}), "bi,oi->bo"), 31);
    INFO(count);
    for (const std::int64_t b : {0, 30}) {
      for (const std::int64_t o : {0, 16, 69}) {
        const Term term = [&](const Place& place, float chain) {
          return std::fma(sums.at("x", b * count + place[0]), sums.at("w", o * count + place[0]), chain);
        };
        const float expected = by_rule({{count}, count}, Form::kChains, term);
        CHECK(found[static_cast<std::size_t>(b * 70 + o)] == static_cast<double>(expected));
      }
    }
  }
}

TEST_CASE("ten million times 0.1 is a million within 5, and the mean 0.1 within 5e-7") {
  const TensorType many{DType::kF32, {10'000'000}};
  Sums sums;
  const double total = sums.run(sum(constant(sums.builder, static_cast<double>(0.1F), many), {0}))[0];
  CHECK(std::abs(total - 1e6) < 5);
  Sums means;
  const double mean_of_all =
      means.run(mean(constant(means.builder, static_cast<double>(0.1F), many), {0}))[0];
  CHECK(std::abs(mean_of_all - 0.1) < 5e-7);
}

TEST_CASE("the largest of several blocks, and where it is first") {
  for (const std::int64_t count : {4096, 4097, 70001}) {
    Sums sums;
    const Expr x = sums.leaf("x", {count});
    const double place = sums.run(argmax(x, 0))[0];
    std::int64_t first = 0;
    for (std::int64_t i = 1; i < count; ++i) {
      if (sums.at("x", i) > sums.at("x", first)) first = i;
    }
    CHECK(place == static_cast<double>(first));
    Sums others;
    const Expr same = others.leaf("x", {count});
    const double largest = others.run(reduce_max(same, {0}))[0];
    CHECK(largest == static_cast<double>(others.at("x", first)));
  }
}

}  // namespace dlg
