// Owns the tests of the memory plan.
#include "passes/plan/plan.h"

#include <algorithm>

#include "passes/plan/arena.h"
#include "tests/unit/passes/lowering.h"

using namespace dlg;
using test::Sketch;

namespace {

Graph classifier() {
  Sketch s;
  test::build_classifier(s);
  return test::pipelined(s.graph, Fusion::kOn, &test::momentum_rule());
}

}  // namespace

TEST_CASE("lifetimes that do not meet share memory") {
  const std::vector<Lifetime> lifetimes = {{100, 0, 1}, {64, 1, 2}, {100, 2, 3}, {64, 3, 4}};
  const ArenaPlacement placement = place_lifetimes(lifetimes, 64);
  CHECK(most_live_bytes(lifetimes) == 164);
  CHECK(placement.bytes == 192);
  CHECK(placement.offsets[0] == placement.offsets[2]);
  CHECK(placement.offsets[1] == placement.offsets[3]);
}

TEST_CASE("the best of several placement orders is kept") {
  // By size, the two long lifetimes leave no gap for the short ones between them.
  const std::vector<Lifetime> lifetimes = {{64, 0, 9}, {128, 0, 1}, {128, 2, 3}, {64, 4, 9}, {192, 8, 9}};
  const ArenaPlacement placement = place_lifetimes(lifetimes, 64);
  CHECK(placement.bytes >= most_live_bytes(lifetimes));
  CHECK(placement.bytes == 320);
}

TEST_CASE("an empty arena has no bytes") {
  CHECK(place_lifetimes({}, 64).bytes == 0);
  CHECK(most_live_bytes({}) == 0);
}

TEST_CASE("every state of a training step is written in place") {
  const Graph graph = classifier();
  const Plan plan = plan_memory(graph);
  CHECK(plan.copies.empty());
  CHECK(plan.arena_bytes >= plan.lower_bound_bytes);
  for (const Placement& placement : plan.placements) CHECK(placement.offset % 64 == 0);
}

TEST_CASE("a weight is stored so that the forward contraction runs along neighbours") {
  const Graph graph = classifier();
  const Plan plan = plan_memory(graph);
  const std::vector<std::int64_t> outputs_innermost = {1, 0};
  CHECK(plan.states[*graph.find_state("net.W1")].order == outputs_innermost);
  CHECK(plan.states[*graph.find_state("net.W1.v")].order == outputs_innermost);
  CHECK(plan.states[*graph.find_state("net.b1")].order.empty());
}

TEST_CASE("the text of a plan names sizes, lower bound and places") {
  const Graph graph = classifier();
  const std::string text = print_plan(graph, plan_memory(graph), Sources());
  CHECK(text.find("lower bound") != std::string::npos);
  CHECK(text.find("net.W1 : f64[20, 6], axes stored as 1 0") != std::string::npos);
  CHECK(text.find("stop test after") != std::string::npos);
  CHECK(text.find("net.W2: fused with its gradient in `W2.new`") != std::string::npos);
}

TEST_CASE("the text of a plan says why an update is not fused") {
  Sketch s;
  test::build_classifier(s);
  const test::RuleSource normed{"normed", {}, [](RuleBuilder& scope) {
                            const ValueId theta = scope.theta(0);
                            Builder& builder = scope.builder();
                            const Expr gradient{
                                &builder,
                                scope.gradient({theta, scope.theta(1), scope.theta(2), scope.theta(3)})[0]};
                            const Expr norm = sqrt(sum(gradient * gradient, {0, 1}));
                            scope.set_theta(0, (Expr{&builder, theta} - gradient / norm).value);
                          }};
  const Graph graph = test::pipelined(s.graph, Fusion::kOn, &normed);
  const std::string text = print_plan(graph, plan_memory(graph), Sources());
  INFO(text);
  CHECK(text.find("net.W1: not fused: `dW1` is stored, in one kernel") != std::string::npos);
  CHECK(text.find("net.b1: keeps its value") != std::string::npos);
}
