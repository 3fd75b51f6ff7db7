// Owns the tests of fusion: which nodes share a kernel, and which must not.
#include "passes/fuse/fuse.h"

#include <algorithm>

#include "passes/fuse/order_kernels.h"
#include "passes/lower/group_trace.h"
#include "tests/unit/passes/lowering.h"

using namespace dlg;
using test::Sketch;

namespace {

const TensorType kRow{DType::kF64, {kBatch, 12}};

Graph fused(const Sketch& s) {
  Graph graph = fuse(s.graph, Fusion::kOn);
  const auto broken = verify(graph, Stage::kFused);
  INFO(broken.value_or(""));
  REQUIRE(!broken);
  return graph;
}

bool together(const Graph& graph, ValueId a, ValueId b) {
  return std::any_of(graph.groups.begin(), graph.groups.end(), [&](const Group& group) {
    const auto has = [&](ValueId value) {
      return std::find(group.nodes.begin(), group.nodes.end(), value) != group.nodes.end();
    };
    return has(a) && has(b);
  });
}

}  // namespace

TEST_CASE("bias and activation are the epilogue of a contraction") {
  Sketch s;
  const Expr x = s.input("x", kRow);
  const Expr w = s.parameter("w", {DType::kF64, {20, 12}});
  const Expr b = s.parameter("b", {DType::kF64, {20}});
  const Expr z = contract(x, w, "bi,oi->bo");
  s.output("h", sigmoid(z + broadcast_to(b, z.shape())));
  CHECK(fused(s).groups.size() == 1);
}

TEST_CASE("an element-wise chain is the prologue of a reduction that reads it once") {
  Sketch s;
  const Expr x = s.input("x", kRow);
  s.output("loss", sum(sum(exp(x) * 2.0, {1}), {0}));
  const Graph graph = fused(s);
  const auto find = [&](std::string_view op) {
    for (const ValueId value : graph.nodes.ids()) {
      if (graph[value].op->name == op) return value;
    }
    return ValueId{};
  };
  CHECK(together(graph, find("exp"), find("sum")));
}

TEST_CASE("an element-wise chain is no prologue of a contraction, which reads it often") {
  Sketch s;
  const Expr x = s.input("x", kRow);
  const Expr w = s.parameter("w", {DType::kF64, {20, 12}});
  const Expr e = exp(x);
  const Expr z = contract(e, w, "bi,oi->bo");
  s.output("z", z);
  CHECK(!together(fused(s), e.value, z.value));
}

TEST_CASE("a function of each row is computed for many rows at once, apart from the row's elements") {
  const auto is_apart = [](std::int64_t batch) {
    Sketch s;
    s.graph.batch = batch;
    const Expr x = s.input("x", kRow);
    const Expr total = sum(x, {1});
    const Expr logarithm = log(total);
    s.output("y", x - broadcast(logarithm, kRow.shape, {0}));
    const Graph graph = fused(s);
    return !together(graph, total.value, logarithm.value);
  };
  CHECK(is_apart(32));
  CHECK_FALSE(is_apart(4));
}

TEST_CASE("two contractions are two kernels") {
  Sketch s;
  const Expr x = s.input("x", kRow);
  const Expr w = s.parameter("w", {DType::kF64, {20, 12}});
  const Expr v = s.parameter("v", {DType::kF64, {20, 12}});
  s.output("z", contract(x, w, "bi,oi->bo") + contract(x, v, "bi,oi->bo"));
  CHECK(fused(s).groups.size() == 2);
}

TEST_CASE("fusion does not close a cycle through another kernel") {
  Sketch s;
  const Expr x = s.input("x", kRow);
  const Expr a = exp(x);
  const Expr total = sum(a, {1});
  const Expr b = a / expand_axes(total, x.shape(), {1});
  s.output("a", a);
  s.output("b", b);
  const Graph graph = fused(s);
  CHECK(!together(graph, a.value, b.value));
}

TEST_CASE("a transposed weight is read, not stored") {
  Sketch s;
  const Expr x = s.input("x", kRow);
  const Expr w = s.parameter("w", {DType::kF64, {12, 20}});
  const Expr turned = transpose(w, {1, 0});
  s.output("y", contract(x, turned, "bi,oi->bo"));
  s.output("z", contract(x, turned * 2.0, "bi,oi->bo"));
  const Graph graph = fused(s);
  const Plan plan = plan_memory(graph);
  CHECK(loop::prove_memory(lower_to_loops(graph, plan), loop::obligations_of(graph)) == std::nullopt);
  CHECK(std::none_of(plan.placements.begin(), plan.placements.end(),
                     [&](const Placement& place) { return place.value == turned.value; }));
}

TEST_CASE("the update is the epilogue of the weight gradient") {
  Sketch s;
  test::build_classifier(s);
  const Graph graph = test::pipelined(s.graph, Fusion::kOn, &test::momentum_rule());
  for (const Effect& effect : graph.effects) {
    const State& state = graph.states[effect.state];
    if (state.kind != StateKind::kParameter || state.type.shape.rank() != 2) continue;
    const bool has_contraction =
        std::any_of(graph.groups.begin(), graph.groups.end(), [&](const Group& group) {
          const auto is_own = [&](ValueId value) { return value == effect.value; };
          const auto is_nest = [&](ValueId value) { return is<Nest>(*graph[value].op); };
          return std::any_of(group.nodes.begin(), group.nodes.end(), is_own) &&
                 std::any_of(group.nodes.begin(), group.nodes.end(), is_nest);
        });
    INFO(state.path);
    CHECK(has_contraction);
  }
}

TEST_CASE("without fusion each node is a group of its own") {
  Sketch s;
  test::build_classifier(s);
  const Graph graph = test::pipelined(s.graph, Fusion::kOff, &test::momentum_rule());
  CHECK(std::all_of(graph.groups.begin(), graph.groups.end(),
                    [](const Group& group) { return group.nodes.size() == 1; }));
}

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
