// The reference interpreter: environments, composites, error bounds.
#include "ir/ops/interpret.h"

#include <cmath>

#include "ir/ops/expr.h"
#include "tests/catch.h"
#include "tests/ops/op_samples.h"

namespace dlg {
namespace {

/// sum over the batch of (1 + tiny) * row, in f32.
Graph batch_graph() {
  Graph graph;
  graph.batch = 8;
  Builder builder(graph);
  const Expr x{&builder, add_leaf(builder, "d.x", {DType::kF32, {kBatch, 2}})};
  const Expr w{&builder, add_leaf(builder, "net.w", {DType::kF32, {2}})};
  const Expr y = mean(x * broadcast_to(w, x.shape()), {0, 1});
  graph.outputs = {{"y", y.value}};
  return graph;
}

}  // namespace

TEST_CASE("the default environment reads literals and keeps to the literal rows") {
  Graph graph = batch_graph();
  graph.inputs[0].literal = {1, 2, 3, 4, 5, 6};
  graph.states[StateId{0}].initial = {Initializer::Kind::kLiteral, 0, 0, {10, 100}};
  const Environment<double> environment = default_environment(graph);
  CHECK(environment.rows == 3);
  const auto values = interpret(graph, environment);
  CHECK(values[graph.outputs[0].value].elements[0] == Approx((90.0 + 1200.0) / 6));
}

TEST_CASE("the default environment is deterministic and small without literals") {
  const Graph graph = batch_graph();
  const Environment<double> environment = default_environment(graph);
  CHECK(environment.rows == 8);
  const std::vector<double>& x = environment.inputs.at("d.x").elements;
  REQUIRE(x.size() == 16);
  CHECK(x == default_environment(graph).inputs.at("d.x").elements);
  for (const double element : x) {
    CHECK(std::abs(element) <= 1);
    CHECK(static_cast<double>(static_cast<float>(element)) == element);
  }
}

TEST_CASE("integers of the default environment stay inside every table") {
  Graph graph;
  graph.batch = 50;
  Builder builder(graph);
  const Expr index{&builder, add_leaf(builder, "d.i", {DType::kI32, {kBatch}})};
  const Expr table{&builder, add_leaf(builder, "net.t", {DType::kF64, {3}})};
  graph.outputs = {{"y", sum(gather(table, index), {0}).value}};
  const Environment<double> environment = default_environment(graph);
  for (const double i : environment.inputs.at("d.i").elements) CHECK((i >= 0 && i < 3));
  CHECK(interpret(graph, environment).size() == graph.nodes.size());
}

TEST_CASE("a bound covers what f32 loses and is not far above it") {
  Graph graph;
  Builder builder(graph);
  const Expr x{&builder, add_leaf(builder, "x", {DType::kF32, {1000}})};
  const Expr y = sum(exp(x * 0.1), {0});
  graph.outputs = {{"y", y.value}};
  const Environment<double> environment = default_environment(graph);
  float total = 0;
  Environment<Bound> bounds = converted<Bound>(environment);
  for (std::size_t i = 0; i < 1000; ++i) {
    const float element = static_cast<float>(i % 37) / 37;
    bounds.states["x"].elements[i].value = static_cast<double>(element);
    total += std::exp(element * 0.1f);
  }
  const Bound bound = interpret(graph, bounds)[y.value].elements[0];
  CHECK(std::abs(static_cast<double>(total) - bound.value) <= bound.error);
  CHECK(bound.error < 0.2);
  CHECK(bound.unit == 0x1p-24);
}

TEST_CASE("a comparison within the bound leaves the choice open") {
  const RelationFunction less = [](double a, double b) { return a < b; };
  const Bound near = compare(less, Bound{1, 1e-6}, Bound{1, 0});
  CHECK(near.error == 1);
  CHECK(compare(less, Bound{1, 0}, Bound{1, 0}).error == 0);
  const Bound open = choose(near, Bound{5, 0}, Bound{3, 0});
  CHECK(open.error == 2);
}

TEST_CASE("a dual number carries the derivative through a composite") {
  Graph graph;
  Builder builder(graph);
  const Expr x{&builder, add_leaf(builder, "x", {DType::kF64, {3}})};
  graph.outputs = {{"y", logsumexp(x, {0}).value}};
  Environment<Dual> environment;
  environment.states["x"] = {{3}, {{0, 1}, {0, 0}, {0, 0}}};
  const Dual y = interpret(graph, environment)[graph.outputs[0].value].elements[0];
  CHECK(y.value == Approx(std::log(3.0)));
  CHECK(y.derivative == Approx(1.0 / 3));
}

}  // namespace dlg
