// The order of sums, which follows from the logical shape alone: lowered ops against the rule written out by
// hand, bit for bit in f32, where every other order shows.
#include <cmath>
#include <functional>

#include "ir/ops/expr.h"
#include "tests/catch.h"
#include "tests/engines/engines.h"
#include "tests/ops/op_samples.h"
#include "tests/step_forms.h"

namespace dlg {
namespace {

constexpr std::size_t kLanes = 16;
constexpr std::size_t kBlock = 4096;

/// Element i goes to lane i mod 16, every lane starting from -0; lane j joins lane j + 8, then + 4, + 2, + 1.
float in_lanes(std::size_t count, const std::function<float(std::size_t, float)>& step) {
  std::vector<float> lanes(kLanes, -0.0f);
  for (std::size_t i = 0; i < count; ++i) lanes[i % kLanes] = step(i, lanes[i % kLanes]);
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::size_t j = 0; j < half; ++j) lanes[j] += lanes[j + half];
  }
  return lanes[0];
}

/// One chain per block from +0, blocks added in order.
float in_chains(std::size_t count, const std::function<float(std::size_t, float)>& step) {
  float total = 0;
  for (std::size_t first = 0; first < count; first += kBlock) {
    float chain = 0;
    for (std::size_t i = first; i < std::min(count, first + kBlock); ++i) chain = step(i, chain);
    total += chain;
  }
  return total;
}

struct Sums {
  Graph graph;
  Builder builder{graph};
  Environment<double> environment;

  Expr leaf(const std::string& path, const Shape& shape) {
    const Expr expr{&builder, add_leaf(builder, path, {DType::kF32, shape})};
    graph.states[*graph.find_state(path)].initial.kind = Initializer::Kind::kNormal;
    return expr;
  }

  /// The single output, the same from the loop interpreter and from compiled code.
  std::vector<double> run(Expr y) {
    graph.outputs = {{"y", y.value}};
    environment = default_environment(graph);
    const loop::Program program = lowered(graph);
    const std::vector<double> loops = run_loops(program, environment).at("y");
    for (const StepForm form : test::step_forms(program)) {
      const StepRun compiled = run_compiled(test::GuardedProgram(program, {.form = form}, {}), environment);
      CHECK(compiled.fault == "");
      if (can_run(Target::kAvx2)) CHECK(compiled.values.at("y") == loops);
    }
    return loops;
  }

  float at(const std::string& path, std::size_t i) {
    return static_cast<float>(environment.states.at(path).elements[i]);
  }
};

}  // namespace

TEST_CASE("a sum runs in 16 lanes and one tree") {
  for (const std::int64_t count : {1, 15, 16, 17, 100, 5000}) {
    Sums sums;
    const double found = sums.run(sum(sums.leaf("x", {count}), {0}))[0];
    const float expected = in_lanes(static_cast<std::size_t>(count),
                                    [&](std::size_t i, float lane) { return lane + sums.at("x", i); });
    INFO(count);
    CHECK(found == static_cast<double>(expected));
  }
}

TEST_CASE("a sum over two axes reduces the inner one first") {
  Sums sums;
  const double found = sums.run(sum(sums.leaf("x", {21, 37}), {0, 1}))[0];
  const float expected = in_lanes(21, [&](std::size_t row, float outer) {
    return outer + in_lanes(37, [&](std::size_t i, float lane) { return lane + sums.at("x", row * 37 + i); });
  });
  CHECK(found == static_cast<double>(expected));
}

TEST_CASE("a contraction with a free axis below 8 runs in lanes") {
  Sums sums;
  const auto found = sums.run(contract(sums.leaf("w", {7, 333}), sums.leaf("x", {333}), "oi,i->o"));
  for (std::size_t o = 0; o < 7; ++o) {
    const float expected = in_lanes(333, [&](std::size_t i, float lane) {
      return std::fma(sums.at("w", o * 333 + i), sums.at("x", i), lane);
    });
    CHECK(found[o] == static_cast<double>(expected));
  }
}

TEST_CASE("a contraction with a free axis of 8 runs in chains of 4096") {
  for (const std::size_t count :
       {std::size_t{333}, std::size_t{4096}, std::size_t{4097}, std::size_t{9000}}) {
    Sums sums;
    const auto extent = static_cast<std::int64_t>(count);
    const auto found = sums.run(contract(sums.leaf("w", {8, extent}), sums.leaf("x", {extent}), "oi,i->o"));
    INFO(count);
    for (std::size_t o = 0; o < 8; ++o) {
      const float expected = in_chains(count, [&](std::size_t i, float chain) {
        return std::fma(sums.at("w", o * count + i), sums.at("x", i), chain);
      });
      CHECK(found[o] == static_cast<double>(expected));
    }
  }
}

TEST_CASE("several contracted axes carry one chain, the last innermost") {
  Sums sums;
  const auto found = sums.run(contract(sums.leaf("a", {5, 11}), sums.leaf("b", {5, 11, 9}), "ij,ijo->o"));
  for (std::size_t o = 0; o < 9; ++o) {
    const float expected = in_chains(55, [&](std::size_t i, float chain) {
      return std::fma(sums.at("a", i), sums.at("b", i * 9 + o), chain);
    });
    CHECK(found[o] == static_cast<double>(expected));
  }
}

}  // namespace dlg
