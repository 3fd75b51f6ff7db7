// Owns the tests of `whole fn`: what of the program it needs, the graph that it becomes, and how calls meet
// it.
#include "tests/unit/frontend/compiled.h"

namespace dlg {
namespace {

/// A program with these definitions and metrics, whose labels have 3 classes and whose model gives 3 logits.
Compiled with_metrics(const std::string& metrics, const std::string& definitions = "") {
  return compile_text("dlg 1\n" + definitions + R"(data d {
  x = [[1.0, 2.0, 3.0], [0.0, 1.0, 0.0], [2.0, 0.0, 1.0], [1.0, 1.0, 0.0]]
  t = [0, 1, 2, 1]
}
model net(x: [3]) -> [3] {
  param w: [3] = 1
  return w * x
}
train {
  minimize  = cross_entropy(net(d.x), d.t)
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
  metrics   = )" + metrics +
                      "\n}\n");
}

/// The outputs of the metrics on these rows of their arguments.
std::vector<double> metric_of(const CheckedProgram& program, const std::string& name,
                              const std::map<std::string, std::vector<double>>& arguments,
                              std::int64_t rows) {
  const Graph& graph = *program.whole;
  Environment<double> environment = default_environment(graph);
  environment.rows = rows;
  for (const auto& [path, elements] : arguments) {
    environment.inputs[path] = {graph.find_input(path)->type.shape.at(rows), elements};
  }
  return interpret(graph, environment)[*graph.find_output(name)].elements;
}

TEST_CASE("without a metric of a whole part there is no graph for them") {
  const Compiled compiled = with_metrics("[accuracy(net(d.x), d.t)]");
  REQUIRE(compiled.program);
  CHECK(!compiled.program->whole);
}

TEST_CASE("arguments are outputs of the program and inputs of one graph in f64, each once") {
  const Compiled compiled =
      with_metrics("[f1(net(d.x), d.t), confusion(net(d.x), d.t), perplexity(net(d.x), d.t)]");
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  REQUIRE(compiled.program->whole);
  const Graph& whole = *compiled.program->whole;
  CHECK(whole.inputs.size() == 2);
  CHECK(type_text(whole.find_input("whole.0")->type) == "f64[*batch, 3]");
  CHECK(type_text(whole.find_input("whole.1")->type) == "i32[*batch]");
  const Graph& graph = compiled.program->graph;
  CHECK(type_text(graph.type(*graph.find_output("whole.0"))) == "f32[*batch, 3]");
  CHECK(type_text(graph.type(*graph.find_output("whole.1"))) == "i32[*batch]");
  CHECK(!graph.find_output("whole.2"));
  CHECK(whole.outputs.size() == 3);
  CHECK(type_text(whole.type(*whole.find_output("confusion"))) == "f64[3, 3]");
  const std::vector<Metric>& metrics = compiled.program->training->metrics;
  REQUIRE(metrics.size() == 3);
  CHECK(metrics[0].is_percent);
  CHECK(metrics[0].form == MetricForm::kWhole);
  CHECK(metrics[0].better == Better::kLarger);
  CHECK(metrics[1].form == MetricForm::kTable);
  CHECK(metrics[2].better == Better::kSmaller);
  CHECK(!metrics[2].is_percent);
}

TEST_CASE("a whole function computes with any number of rows") {
  const Compiled compiled = with_metrics(
      "[spread_of(net(d.x), d.t, 2)]",
      "whole fn widest(y: [all, n]) -> [n] = max(y, over = all) - min(y, over = all)\n"
      "whole fn spread_of(y: [all, n], t: [all], times = 1) -> [] = times * sum(widest(y)) + mean(t)\n");
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  CHECK(metric_of(*compiled.program, "spread_of", {{"whole.0", {1, 2, 3}}, {"whole.1", {7}}}, 1) ==
        std::vector<double>{7});
  CHECK(metric_of(*compiled.program, "spread_of", {{"whole.0", {1, 2, 3, 4, 4, 4}}, {"whole.1", {1, 2}}},
                  2) == std::vector<double>{13.5});
}

TEST_CASE("an argument may be piped, or come in brackets") {
  const Compiled compiled = with_metrics("[net(d.x) |> f1(d.t), rmse([net(d.x)[0], d.x[1]], d.x[0..1])]");
  CHECK(compiled.errors() == "");
}

TEST_CASE("a label that only a metric of a whole part uses as an index is held to its classes in the data") {
  const Compiled compiled =
      with_metrics("[weighted(d.x, d.t)]",
                   "const cost: [3] = [1, 2, 3]\n"
                   "whole fn weighted(y: [rows, n], t: i32[rows]) -> [] = mean(gather(cost, t)) + sum(y)\n");
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  CHECK(compiled.program->graph.find_input("d.t")->below == std::vector<std::int64_t>{3});
}

TEST_CASE("a computed index of a metric of a whole part is looked at when it is used") {
  const Compiled compiled = with_metrics("[weighted(argmax(net(d.x)))]",
                                         "const cost: [2] = [1, 2]\n"
                                         "whole fn weighted(t: i32[rows]) -> [] = mean(gather(cost, t))\n");
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  CHECK(compiled.program->whole->find_input("whole.0")->below.empty());
}

TEST_CASE("`whole` is a word only before `fn`") {
  const Compiled compiled = with_metrics("[net(d.x)[whole]]", "const whole = 1\n");
  CHECK(compiled.errors() == "");
}

}  // namespace
}  // namespace dlg
