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
  CHECK(broken(graph, plan) == "the stop test does not follow the loss");
}

TEST_CASE("the checker refuses a state that is written before its last reader") {
  Graph graph = classifier();
  const Plan plan = plan_memory(graph);
  // The last kernel writes a state; run it first of those after the loss, before backward kernels read it.
  Graph early = graph;
  early.groups = {};
  for (const GroupId group : graph.groups.ids()) {
    if (group.index == plan.groups_before_stop_test) {
      const StateId w2 = *graph.find_state("net.W2");
      for (const Placement& place : plan.placements) {
        if (place.kind == Kind::kState && place.state == w2) {
          early.groups.add(graph.groups[GroupId{static_cast<std::uint32_t>(place.first_group)}]);
        }
      }
    }
    early.groups.add(graph.groups[group]);
  }
  CHECK(broken(early, plan) != "proven");
}

TEST_CASE("the text of a plan names sizes, lower bound and places") {
  const Graph graph = classifier();
  const std::string text = print_plan(graph, plan_memory(graph), Sources());
  CHECK(text.find("lower bound") != std::string::npos);
  CHECK(text.find("net.W1 : f64[20, 6], axes stored as 1 0") != std::string::npos);
  CHECK(text.find("stop test after") != std::string::npos);
}
