// Owns the tests of the memory plan and of the checker that re-proves it.
#include "passes/plan.h"

#include <algorithm>

#include "passes/arena.h"
#include "tests/unit/passes/lowering.h"

using namespace dlg;
using test::Sketch;
using Kind = Placement::Kind;

namespace {

Graph classifier() {
  Sketch s;
  test::build_classifier(s);
  return test::pipelined(s.graph, Fusion::kOn, &test::momentum_rule());
}

/// The first placement of a kind.
Placement& first(Plan& plan, Kind kind) {
  const auto found = std::find_if(plan.placements.begin(), plan.placements.end(),
                                  [&](const Placement& place) { return place.kind == kind; });
  REQUIRE(found != plan.placements.end());
  return *found;
}

std::string broken(const Graph& graph, const Plan& plan) {
  return check_plan(graph, plan).value_or("proven");
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
  CHECK(broken(graph, plan) == "proven");
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

TEST_CASE("the checker refuses a plan with overlapping lifetimes") {
  const Graph graph = classifier();
  Plan plan = plan_memory(graph);
  for (Placement& placement : plan.placements) {
    if (placement.kind == Kind::kArena) placement.offset = 0;
  }
  CHECK(broken(graph, plan).find("overlap while both live") != std::string::npos);
}

TEST_CASE("the checker refuses an offset that is not aligned") {
  const Graph graph = classifier();
  Plan plan = plan_memory(graph);
  first(plan, Kind::kOutput).offset += 8;
  CHECK(broken(graph, plan).find("is not aligned") != std::string::npos);
}

TEST_CASE("the checker refuses a place outside its block") {
  const Graph graph = classifier();
  Plan plan = plan_memory(graph);
  plan.arena_bytes = 0;
  CHECK(broken(graph, plan).find("ends outside its block") != std::string::npos);
}

TEST_CASE("the checker refuses a wrong size") {
  const Graph graph = classifier();
  Plan plan = plan_memory(graph);
  first(plan, Kind::kArena).bytes -= 1;
  CHECK(broken(graph, plan).find("has the wrong size") != std::string::npos);
}

TEST_CASE("the checker refuses a value that is read and not stored") {
  const Graph graph = classifier();
  Plan plan = plan_memory(graph);
  std::erase_if(plan.placements, [](const Placement& place) { return place.kind == Kind::kArena; });
  CHECK(broken(graph, plan).find("is read and not stored") != std::string::npos);
}

TEST_CASE("the checker refuses a lost output and a lost effect") {
  const Graph graph = classifier();
  Plan plan = plan_memory(graph);
  const Plan whole = plan;
  std::erase_if(plan.placements, [](const Placement& place) { return place.output == "loss"; });
  CHECK(broken(graph, plan).find("the output `loss` is not stored") != std::string::npos);
  plan = whole;
  std::erase_if(plan.placements, [](const Placement& place) { return place.kind == Kind::kState; });
  CHECK(broken(graph, plan).find("does not get its new value once") != std::string::npos);
}

TEST_CASE("the checker refuses two states in one place") {
  const Graph graph = classifier();
  Plan plan = plan_memory(graph);
  plan.states[StateId{1}].offset = plan.states[StateId{0}].offset;
  CHECK(broken(graph, plan).find("overlap") != std::string::npos);
}

TEST_CASE("the checker refuses a stop test that does not follow the loss") {
  const Graph graph = classifier();
  Plan plan = plan_memory(graph);
  ++plan.groups_before_stop_test;
  CHECK(broken(graph, plan) == "the stop test does not follow what it looks at");
}

TEST_CASE("the checker refuses a state that is written before its last reader") {
  Graph graph = classifier();
  const Plan plan = plan_memory(graph);
  const auto writer =
      std::find_if(plan.placements.begin(), plan.placements.end(), [&](const Placement& place) {
        return place.kind == Kind::kState && graph.states[place.state].path == "net.W2";
      });
  REQUIRE(writer != plan.placements.end());
  // The update of W2 changes places with the kernel before it, until a backward kernel reads W2 after it.
  GroupId update{static_cast<std::uint32_t>(writer->first_group)};
  while (update.index > plan.groups_before_stop_test && broken(graph, plan) == "proven") {
    std::swap(graph.groups[update], graph.groups[GroupId{update.index - 1}]);
    --update.index;
  }
  CHECK(broken(graph, plan) != "proven");
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
  const UpdateRule normed{"normed", {}, [](UpdateScope& scope) {
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
