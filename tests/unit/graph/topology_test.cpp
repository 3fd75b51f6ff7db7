// Owns the tests of the Boost.Graph view.
#include "ir/graph/topology.h"

#include "tests/catch.h"
#include "tests/sample_graphs.h"

using namespace dlg;

using Order = std::vector<std::size_t>;

TEST_CASE("a topological order takes small numbers first") {
  CHECK(*topological_order({4, {{3, 0}, {2, 1}}}) == Order{2, 1, 3, 0});
  CHECK(*topological_order({3, {}}) == Order{0, 1, 2});
  CHECK(*topological_order({3, {{2, 0}, {2, 0}}}) == Order{1, 2, 0});
  CHECK(topological_order({2, {{0, 1}, {1, 0}}}) == std::nullopt);
}

TEST_CASE("reachability is reflexive and transitive") {
  const Reachability reach({5, {{0, 1}, {1, 2}, {3, 2}}});
  CHECK(reach.reaches(0, 0));
  CHECK(reach.reaches(0, 2));
  CHECK(reach.reaches(3, 2));
  CHECK_FALSE(reach.reaches(2, 0));
  CHECK_FALSE(reach.reaches(0, 3));
  CHECK_FALSE(reach.reaches(4, 0));
}

TEST_CASE("reachability works with cycles") {
  const Reachability reach({4, {{0, 1}, {1, 0}, {1, 2}}});
  CHECK(reach.reaches(0, 0));
  CHECK(reach.reaches(1, 0));
  CHECK(reach.reaches(0, 2));
  CHECK_FALSE(reach.reaches(2, 0));
  CHECK(reach.reaches(3, 3));
}

TEST_CASE("contracting a diamond's ends makes a cycle") {
  const Edges diamond{4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}}};
  CHECK(quotient_is_acyclic(diamond, {0, 0, 1, 1}));
  CHECK(quotient_is_acyclic(diamond, {0, 1, 1, 2}));
  CHECK_FALSE(quotient_is_acyclic(diamond, {0, 1, 2, 0}));
}

TEST_CASE("a drawing holds every node, edge, kernel and effect") {
  test::Sketch s;
  const Expr w = s.parameter("net.w", {DType::kF64, {2}});
  const Expr a = -w;
  s.name(a, "a\"b");
  s.output("loss", a);
  s.graph.effects.push_back({StateId{0}, a.value});
  s.graph.groups.add({"k", {a.value}});
  CHECK(draw(s.graph) == R"(digraph graph_ir {
  rankdir=TB;
  subgraph cluster_0 {
    label="k";
    n1 [label="a\"b = neg\nf64[2]", shape=box];
  }
  n0 [label="w = state\nf64[2]", shape=ellipse];
  n0 -> n1;
  "loss" [shape=plaintext];
  n1 -> "loss";
  "net.w" [shape=cylinder];
  n1 -> "net.w";
}
)");
}
