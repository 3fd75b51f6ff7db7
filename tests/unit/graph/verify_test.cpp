// Owns the tests of the verifier: one broken graph per rule.
#include "ir/graph/verify.h"

#include <functional>

#include "ir/graph/rewriter.h"
#include "tests/catch.h"
#include "tests/sample_graphs.h"

using namespace dlg;

namespace {

/// The lecture's net with something done to it.
std::string broken(Stage stage, const std::function<void(Graph&)>& breaking) {
  test::Sketch s;
  test::build_lecture_net(s);
  Graph graph = s.graph;
  breaking(graph);
  return verify(graph, stage).value_or("well-formed");
}

ValueId named(const Graph& graph, std::string_view name) {
  for (const ValueId value : graph.nodes.ids()) {
    if (graph.name(value) == name) return value;
  }
  return {};
}

StateId state(const Graph& graph, std::string_view path) {
  return *graph.find_state(path);
}

/// Every computed node in a kernel of its own.
void group_each(Graph& graph) {
  for (const ValueId value : graph.nodes.ids()) {
    if (!is<Leaf>(*graph[value].op)) graph.groups.add({graph.name(value), {value}});
  }
}

/// w -> neg -> exp -> loss, w <- neg.
Graph chain() {
  test::Sketch s;
  const Expr w = s.parameter("w", {DType::kF64, {}});
  const Expr a = -w;
  const Expr b = exp(a);
  s.name(a, "a");
  s.name(b, "b");
  s.output("loss", b);
  s.graph.effects.push_back({StateId{0}, a.value});
  return s.graph;
}

std::string broken_chain(Stage stage, const std::function<void(Graph&)>& breaking) {
  Graph graph = chain();
  breaking(graph);
  return verify(graph, stage).value_or("well-formed");
}

}  // namespace

TEST_CASE("a good graph has no broken law") {
  CHECK(broken(Stage::kGraph, [](Graph&) {}) == "well-formed");
  CHECK(broken_chain(Stage::kUpdated, [](Graph&) {}) == "well-formed");
  CHECK(broken_chain(Stage::kSimplified, [](Graph&) {}) == "well-formed");
  CHECK(broken_chain(Stage::kFused, group_each) == "well-formed");
}

TEST_CASE("the verifier names each broken law of nodes") {
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.batch = 0; }) == "the batch has 0 rows");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.infos.resize(3); }) ==
        "nodes and their infos differ in number");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.nodes[named(g, "h")].op = nullptr; }) ==
        "`h` (no op) has no op");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.nodes[named(g, "h")].operands.clear(); }) ==
        "`h` (sigmoid) has 0 operands, its op takes 1");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.nodes[named(g, "h")].operands = {named(g, "y")}; }) ==
        "`h` (sigmoid) uses a value that does not stand before it");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.nodes[named(g, "h")].type.shape = {kBatch, 3};
        }) == "`h` (sigmoid) says type f64[*batch, 3], its op gives f64[*batch, 2]");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.nodes[named(g, "E")].attributes = OverAxes{{7}};
        }).starts_with("`E` (sum) is ill-typed: "));
}

TEST_CASE("the verifier names each broken law of what is read") {
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.states[state(g, "net.W1")].path = "net.W3"; }) ==
        "`W1` (state) reads `net.W1`, which is not declared");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.states[state(g, "net.W1")].initial = {}; }) == "well-formed");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.states[state(g, "net.W1")].type.shape = {2, 3};
          g.states[state(g, "net.W1")].initial = {};
        }) == "`W1` (state) reads `net.W1` as f64[2, 2], declared as f64[2, 3]");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.nodes[named(g, "W1")].attributes = LeafPath{"net.W2"}; }) ==
        "`W2` (state) reads `net.W2` a second time");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.states[state(g, "net.W1")].path = "net.W2"; }) ==
        "two states are called `net.W2`");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.states[state(g, "net.W1")].initial.literal = {1}; }) ==
        "`net.W1` of type f64[2, 2] starts with 1 numbers");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.states.add(
              {"v", {DType::kF64, {4}}, StateKind::kConstant, {Initializer::Kind::kOrthogonal, 1}, {}});
        }) == "`v` of type f64[4] starts as an orthogonal matrix");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.states.add({"v", {DType::kF64, {kBatch}}, StateKind::kConstant, {}, {}});
        }) == "the state `v` varies per sample");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.states.add({"big", {DType::kF64, {1LL << 40, 1LL << 40}}, StateKind::kConstant, {}, {}});
        }) == "`big` is f64[1099511627776, 1099511627776] and has more than 2^40 elements");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.states.add({"step", {DType::kF32, {}}, StateKind::kStep, {}, {}});
        }) == "the step counter is not an f64[]");
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.inputs[0].path = "one.t"; }) ==
        "two inputs are called `one.t`");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.inputs[0].literal = {1, 2, 3};
        }) == "`one.x` of type f64[*batch, 2] has 3 numbers, which is no number of rows");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.inputs.push_back({"u", {DType::kF64, {2}}, {}, {}});
        }) == "the input `u` of type f64[2] has no leading batch axis");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.hypers = {{"lr", 1, {}}, {"lr", 2, {}}};
        }) == "two hypers are called `lr`");
}

TEST_CASE("the verifier names each broken law of outputs and effects") {
  CHECK(broken(Stage::kGraph, [](Graph& g) { g.outputs.push_back(g.outputs[0]); }) ==
        "two outputs are called `loss`");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.outputs.push_back({"p", ValueId{}});
        }) == "the output `p` has no value");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.effects.push_back({StateId{9}, ValueId{0}});
        }) == "an effect without a state or a value");
  CHECK(broken(Stage::kGraph, [](Graph& g) {
          g.effects.push_back({StateId{0}, named(g, "W1")});
        }) == "`net.W1` is written before `update`");
  CHECK(broken_chain(Stage::kUpdated, [](Graph& g) { g.effects.push_back(g.effects[0]); }) ==
        "`w` is written twice");
  CHECK(broken_chain(Stage::kUpdated, [](Graph& g) { g.states[StateId{0}].kind = StateKind::kConstant; }) ==
        "the constant `w` is written");
  CHECK(broken(Stage::kUpdated, [](Graph& g) {
          g.effects.push_back({StateId{0}, named(g, "loss")});
        }) == "`net.W1` of type f64[2, 2] gets a value of type f64[]");
  CHECK(broken(Stage::kUpdated, [](Graph& g) {
          g.effects.push_back({StateId{0}, named(g, "W1")});
        }) == "the trained parameter `net.W2` is not written");
}

TEST_CASE("the verifier names each broken law of derivatives") {
  const auto with_gradient = [](Graph& g) {
    Builder builder(g);
    const Expr w{&builder, named(g, "W1")};
    const Expr e{&builder, named(g, "loss")};
    builder.set_name(gradient(e, w).value, "G");
  };
  CHECK(broken(Stage::kGraph, with_gradient) == "well-formed");
  CHECK(broken(Stage::kDifferentiated, with_gradient) == "`G` (gradient) is still there");
  CHECK(broken(Stage::kDifferentiated, [](Graph& g) {
          g.outputs.push_back({"d(net.W1)", named(g, "W1")});
        }) == "the trained parameter `net.W2` has a path to the loss and no gradient");
  CHECK(broken(Stage::kDifferentiated, [](Graph& g) {
          g.outputs.push_back({"d(net.W1)", named(g, "loss")});
        }) == "the gradient of `net.W1` has type f64[], the parameter f64[2, 2]");
}

TEST_CASE("the verifier names each broken law of simplified and fused graphs") {
  CHECK(broken(Stage::kSimplified, [](Graph&) {}) == "`loss` (mean) is not expanded");
  CHECK(broken_chain(Stage::kSimplified, [](Graph& g) { g.outputs.clear(); }) ==
        "`b` (exp) is needed by nothing");
  CHECK(broken_chain(Stage::kSimplified, group_each) == "there are kernels before `fuse`");
  CHECK(broken_chain(Stage::kFused, [](Graph&) {}) == "`a` (neg) is in no kernel");
  CHECK(broken_chain(Stage::kFused, [](Graph& g) {
          group_each(g);
          g.groups.add({"again", {named(g, "a")}});
        }) == "`a` (neg) is in two kernels");
  CHECK(broken_chain(Stage::kFused, [](Graph& g) {
          g.groups.add({"none", {}});
        }) == "the kernel `none` is empty");
  CHECK(broken_chain(Stage::kFused, [](Graph& g) {
          g.groups.add({"odd", {ValueId{77}}});
        }) == "the kernel `odd` holds no such node");
  CHECK(broken_chain(Stage::kFused, [](Graph& g) {
          g.groups.add({"leaf", {named(g, "w")}});
        }) == "the leaf `w` (state) is in a kernel");
  CHECK(broken_chain(Stage::kFused, [](Graph& g) {
          g.groups.add({"first", {named(g, "b")}});
          g.groups.add({"second", {named(g, "a")}});
        }) == "`b` (exp) in kernel `first` comes before its operand `a` (neg)");
}

TEST_CASE("a pass that loses an output or an effect is noticed") {
  const Graph before = chain();
  Graph after = before;
  CHECK_FALSE(verify_kept(before, after).has_value());
  after.effects.clear();
  CHECK(verify_kept(before, after) == "an effect was lost or added");
  after = before;
  after.outputs[0].name = "l";
  CHECK(verify_kept(before, after) == "the output `loss` became another");
}
