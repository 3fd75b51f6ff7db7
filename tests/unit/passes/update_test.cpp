// Owns the tests of the update pass by numbers: what a step writes, also with gradients at shifted points.
// The graph of effects is shown by tests/golden/passes/update.
#include "passes/derive/update.h"

#include "ir/graph/verify.h"
#include "ir/ops/interpret.h"
#include "ir/ops/registry.h"
#include "passes/derive/differentiate.h"
#include "tests/catch.h"
#include "tests/rule_source.h"
#include "tests/sample_graphs.h"

using namespace dlg;

namespace {

/// Two parameters, loss = a^2 b + b.
Graph two_parameters() {
  test::Sketch s;
  const Expr a = s.parameter("m.a", test::kScalar, {.a = 3, .literal = {}});
  const Expr b = s.parameter("m.b", test::kScalar, {.a = 5, .literal = {}});
  s.output("loss", a * a * b + b);
  return differentiate(s.graph);
}

Expr at(RuleBuilder& scope, ValueId value) {
  return {&scope.builder(), value};
}

std::vector<ValueId> thetas(RuleBuilder& scope) {
  std::vector<ValueId> all;
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) all.push_back(scope.theta(p));
  return all;
}

void build_sgd(RuleBuilder& scope) {
  const std::vector<ValueId> gradient = scope.gradient(thetas(scope));
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
    const Expr lr = at(scope, scope.hyper("optimizer.lr"));
    scope.set_theta(p, (at(scope, scope.theta(p)) - lr * at(scope, gradient[p])).value);
  }
}

/// v <- beta v + grad(theta - beta v); theta <- theta - v, with beta = 0.5 and v starting at 1.
void build_look_ahead(RuleBuilder& scope) {
  std::vector<Expr> v;
  std::vector<ValueId> points;
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
    v.push_back(at(scope, scope.state(p, "v", 1)));
    points.push_back((at(scope, scope.theta(p)) - v[p] * 0.5).value);
  }
  const std::vector<ValueId> gradient = scope.gradient(points);
  for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
    const Expr next = v[p] * 0.5 + at(scope, gradient[p]);
    scope.set_state(p, "v", next.value);
    scope.set_theta(p, (at(scope, scope.theta(p)) - next).value);
  }
}

const test::RuleSource kSgd{"sgd", {{"optimizer.lr", 0.5, {}}}, build_sgd};
const test::RuleSource kLookAhead{"look_ahead", {}, build_look_ahead};

Graph updated(const test::RuleSource& rule) {
  const Graph graph = two_parameters();
  return apply_update(graph, test::elaborated(rule, graph));
}

/// What the step writes, by state path.
double written(const Graph& graph, std::string_view path) {
  const auto values = interpret(graph, default_environment(graph));
  for (const Effect& effect : graph.effects) {
    if (graph.states[effect.state].path == path) return values[effect.value].elements[0];
  }
  FAIL("no effect on " << path);
  return 0;
}

}  // namespace

TEST_CASE("a rule becomes one effect per parameter and the step counter") {
  const Graph graph = updated(kSgd);
  REQUIRE_FALSE(verify(graph, Stage::kUpdated).has_value());
  CHECK(written(graph, "m.a") == 3 - 0.5 * 30);
  CHECK(written(graph, "m.b") == 5 - 0.5 * 10);
  CHECK(written(graph, "step") == 1);
  CHECK(graph.outputs.size() == 1);
  CHECK(graph.find_hyper("optimizer.lr")->value == 0.5);
}

TEST_CASE("a gradient at shifted points sees every parameter at its point") {
  const Graph graph = updated(kLookAhead);
  REQUIRE_FALSE(verify(graph, Stage::kUpdated).has_value());
  const double a = 2.5;
  const double b = 4.5;
  CHECK(written(graph, "m.a.v") == 0.5 + 2 * a * b);
  CHECK(written(graph, "m.b.v") == 0.5 + a * a + 1);
  CHECK(written(graph, "m.a") == 3 - (0.5 + 2 * a * b));
  CHECK(written(graph, "m.b") == 5 - (0.5 + a * a + 1));
}

TEST_CASE("points that are one value still have a gradient each") {
  const test::RuleSource rule{"at_one", {}, [](RuleBuilder& scope) {
                                const Expr one = constant(scope.builder(), 1, test::kScalar);
                                const std::vector<ValueId> gradient = scope.gradient({one.value, one.value});
                                scope.set_theta(0, gradient[0]);
                                scope.set_theta(1, gradient[1]);
                              }};
  const Graph graph = updated(rule);
  CHECK(written(graph, "m.a") == 2);
  CHECK(written(graph, "m.b") == 2);
}

TEST_CASE("steps count from one, and a state is made once") {
  const test::RuleSource rule{"count", {}, [](RuleBuilder& scope) {
                                for (std::size_t p = 0; p < scope.parameter_count(); ++p) {
                                  const Expr s = at(scope, scope.state(p, "s", 7));
                                  scope.set_state(p, "s", (s + at(scope, scope.state(p, "s", 7))).value);
                                  scope.set_theta(p, at(scope, scope.step()).value);
                                }
                              }};
  const Graph graph = updated(rule);
  CHECK(written(graph, "m.a") == 1);
  CHECK(written(graph, "m.b.s") == 14);
  CHECK(graph.states.size() == 5);
  const StateId s = *graph.find_state("m.a.s");
  CHECK(graph.states[s].kind == StateKind::kOptimizer);
  CHECK(graph.states[s].initial.a == 7);
}

TEST_CASE("what a model writes is joined by what the rule writes") {
  test::Sketch s;
  const Expr a = s.parameter("m.a", test::kScalar, {.a = 3, .literal = {}});
  const StateId mean =
      s.graph.states.add({"m.mean", test::kScalar, StateKind::kModel, {.a = 4, .literal = {}}, {}});
  const Expr before{&s.builder, s.builder.add(ops::state, {}, LeafPath{"m.mean"}, test::kScalar)};
  s.output("loss", a * a);
  s.graph.effects = {{mean, (before * 0.5 + a).value}};
  REQUIRE_FALSE(verify(s.graph, Stage::kGraph).has_value());
  CHECK(least_stage(s.graph) == Stage::kGraph);
  const Graph graph = apply_update(differentiate(s.graph), test::elaborated(kSgd, s.graph));
  REQUIRE_FALSE(verify(graph, Stage::kUpdated).has_value());
  CHECK(graph.effects.size() == 3);
  CHECK(written(graph, "m.mean") == 5);
  CHECK(written(graph, "m.a") == 3 - 0.5 * 6);
}

TEST_CASE("a parameter that the rule does not write keeps its value") {
  const test::RuleSource rule{
      "lazy", {}, [](RuleBuilder& scope) { scope.set_theta(0, scope.gradient(thetas(scope))[0]); }};
  const Graph graph = updated(rule);
  REQUIRE_FALSE(verify(graph, Stage::kUpdated).has_value());
  CHECK(written(graph, "m.b") == 5);
}
