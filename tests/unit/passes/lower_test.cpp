// Owns the tests of the lowering to loops: what comes out computes what the graph says, fused or not. The
// loops themselves are shown by tests/golden/passes/loops.
#include "passes/lower_to_loops.h"

#include "tests/unit/passes/lowering.h"

using namespace dlg;
using test::Sketch;

TEST_CASE("the lecture's network trains like the graph interpreter") {
  Sketch s;
  test::build_lecture_net(s);
  test::require_agreement(s.graph, 1, 3, &test::momentum_rule());
}

TEST_CASE("a classifier trains like the graph interpreter") {
  Sketch s;
  test::build_classifier(s);
  test::require_agreement(s.graph, 7, 3, &test::momentum_rule());
}

TEST_CASE("a ragged batch uses its valid rows only") {
  Sketch s;
  test::build_classifier(s);
  test::require_agreement(s.graph, 3, 2, &test::momentum_rule());
  test::require_agreement(s.graph, 1, 2, &test::momentum_rule());
}

TEST_CASE("a classifier in f32 stays near the graph interpreter") {
  Sketch s;
  test::build_classifier(s, DType::kF32);
  test::require_agreement(s.graph, 7, 2, &test::momentum_rule(), 1e-5);
}

TEST_CASE("a function of two parameters without data is minimised") {
  Sketch s;
  const Expr w =
      s.parameter("w", {DType::kF64, {2}}, {.kind = Initializer::Kind::kLiteral, .literal = {-4, 1}});
  const Expr first = reshape(slice(w, {0}, {1}), {});
  const Expr second = reshape(slice(w, {1}, {1}), {});
  s.output("loss", 0.5 * (first * first + 25.0 * (second * second)));
  test::require_agreement(s.graph, 1, 4, &test::momentum_rule());
}

TEST_CASE("leaves that are outputs show the state before the step") {
  Sketch s;
  const Expr w = s.parameter("w", test::kScalar, {.a = 3, .literal = {}});
  s.output("loss", w * w);
  s.output("w.before", w);
  s.output("seven", constant(s.builder, 7, {DType::kF64, {3}}));
  test::require_agreement(s.graph, 1, 2, &test::momentum_rule());
}

TEST_CASE("one value may be two outputs") {
  Sketch s;
  const Expr w = s.parameter("w", {DType::kF64, {3}}, {.a = 3, .literal = {}});
  s.output("a", exp(w));
  s.output("b", exp(w));
  test::require_agreement(s.graph, 1, 1);
}

TEST_CASE("states that trade places are not written in place") {
  Sketch s;
  const TensorType type{DType::kF64, {4}};
  const Expr a = s.parameter("a", type, {.kind = Initializer::Kind::kLiteral, .literal = {1, 2, 3, 4}});
  const Expr b = s.parameter("b", type, {.kind = Initializer::Kind::kLiteral, .literal = {5, 6, 7, 8}});
  s.graph.effects = {{StateId{0}, b.value}, {StateId{1}, (a + b).value}};
  for (const Fusion fusion : {Fusion::kOn, Fusion::kOff}) {
    Graph graph = fuse(s.graph, fusion);
    const Plan plan = plan_memory(graph);
    const test::Lowered lowered{graph, plan, lower_to_loops(graph, plan)};
    REQUIRE(loop::verify(lowered.program) == std::nullopt);
    REQUIRE(loop::prove_memory(lowered.program, loop::obligations_of(graph)) == std::nullopt);
    test::TwoRuns runs(lowered, 1);
    runs.step();
    test::require_close(runs.found(), runs.expected(), 0);
    runs.step();
    test::require_close(runs.found(), runs.expected(), 0);
  }
}

TEST_CASE("a state updated from its own transpose is computed from the old value") {
  Sketch s;
  const Expr w =
      s.parameter("w", {DType::kF64, {3, 3}}, {.kind = Initializer::Kind::kNormal, .a = 1, .literal = {}});
  s.graph.effects = {{StateId{0}, (w + transpose(w, {1, 0})).value}};
  const Graph graph = fuse(s.graph, Fusion::kOn);
  const Plan plan = plan_memory(graph);
  const test::Lowered lowered{graph, plan, lower_to_loops(graph, plan)};
  test::TwoRuns runs(lowered, 1);
  runs.step();
  test::require_close(runs.found(), runs.expected(), 0);
}

TEST_CASE("shape ops lower to index arithmetic") {
  Sketch s;
  s.graph.batch = 3;
  const Expr x = s.input("d.x", {DType::kF64, {kBatch, 4, 6}});
  s.output("transposed", transpose(x, {0, 2, 1}) * 2.0);
  s.output("split", reshape(x, {kBatch, 4, 2, 3}));
  s.output("merged", exp(reshape(x, {kBatch, 24})));
  s.output("other", reshape(x, {kBatch, 3, 8}));
  s.output("slice", slice(x, {0, 1, 2}, {kBatch, 2, 3}));
  s.output("padded", pad(x, {0, 1, 2}, {kBatch, 6, 9}));
  s.output("largest", argmax(x, 2));
  s.output("row", sum(x, {1, 2}));
  test::require_agreement(s.graph, 3, 1);
  test::require_agreement(s.graph, 2, 1);
}

TEST_CASE("gather and scatter read rows by a computed index") {
  Sketch s;
  s.graph.batch = 5;
  const Expr table =
      s.parameter("table", {DType::kF64, {4, 9}}, {.kind = Initializer::Kind::kNormal, .a = 1});
  const Expr index = s.input("d.i", {DType::kI32, {kBatch}});
  const Expr rows = gather(table, index);
  s.output("loss", mean(sum(rows * rows, {1}), {0}));
  s.output("rows", rows);
  test::require_agreement(s.graph, 5, 2, &test::momentum_rule());
}

TEST_CASE("contractions of all kinds sum in their fixed order") {
  Sketch s;
  s.graph.batch = 4;
  const Expr a = s.parameter("a", {DType::kF64, {9, 33}}, {.kind = Initializer::Kind::kNormal, .a = 1});
  const Expr b = s.parameter("b", {DType::kF64, {33, 17}}, {.kind = Initializer::Kind::kNormal, .a = 1});
  const Expr v = s.parameter("v", {DType::kF64, {33}}, {.kind = Initializer::Kind::kNormal, .a = 1});
  const Expr long_a =
      s.parameter("la", {DType::kF64, {8, 5000}}, {.kind = Initializer::Kind::kNormal, .a = 1});
  const Expr long_b = s.parameter("lb", {DType::kF64, {5000}}, {.kind = Initializer::Kind::kNormal, .a = 1});
  s.output("matmul", contract(a, b, "ij,jk->ik"));
  s.output("matvec", contract(a, v, "oi,i->o"));
  s.output("dot", contract(v, v, "i,i->"));
  s.output("outer", contract(v, v, "i,j->ij"));
  s.output("blocks", contract(long_a, long_b, "oi,i->o"));
  test::require_agreement(s.graph, 1, 1);
}
