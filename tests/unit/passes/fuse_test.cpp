// Owns the tests of fusion and order that no small text shows: large graphs, and what must not change. Which
// nodes share a kernel is shown by tests/golden/passes/fuse.
#include "passes/fuse/fuse.h"

#include "passes/fuse/order_kernels.h"
#include "passes/lower/group_trace.h"
#include "tests/unit/passes/lowering.h"

using namespace dlg;
using test::Sketch;

namespace {

Graph fused(const Sketch& s) {
  Graph graph = fuse(s.graph, Fusion::kOn);
  const auto broken = verify(graph, Stage::kFused);
  INFO(broken.value_or(""));
  REQUIRE(!broken);
  return graph;
}

}  // namespace

TEST_CASE("ordering twice changes nothing") {
  Sketch s;
  test::build_classifier(s);
  const Graph once = test::pipelined(s.graph, Fusion::kOn, &test::momentum_rule());
  const Graph twice = order_kernels(once);
  REQUIRE(once.groups.size() == twice.groups.size());
  for (const GroupId group : once.groups.ids()) CHECK(once.groups[group].nodes == twice.groups[group].nodes);
}

TEST_CASE("views are inlined, however many there are, but not too deep one behind the other") {
  Sketch s;
  const Expr w = s.parameter("w", {DType::kF64, {2, 3}});
  Expr e = w;
  // No law makes these shorter: a slice of what was repeated.
  for (int i = 0; i < 4000; ++i) {
    const Expr wide = broadcast(e, Shape{2, 2, 3}, {1, 2});
    e = reshape(slice(wide, {i % 2, 0, 0}, {1, 2, 3}), Shape{2, 3});
  }
  s.output("y", exp(e));
  const Graph graph = fused(s);
  CHECK(find_bad_kernel(graph) == std::nullopt);
  const loop::Program program = lower_to_loops(graph, plan_memory(graph));
  CHECK(loop::prove_memory(program, loop::obligations_of(graph)) == std::nullopt);
  CHECK(program.kernels.size() >= 10);
}
