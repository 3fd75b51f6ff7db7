// Owns the tests of --set.
#include "tests/unit/frontend/compiled.h"

namespace dlg {
namespace {

Compiled with(const std::string& key, const std::string& value) {
  return compile_text(example_text("digits/mlp.dlg"), {{key, value}});
}

TEST_CASE("--set reaches dims, settings and their arguments") {
  CHECK(with("optimizer.lr", "0.25").program->training->rule.hypers[0].value == 0.25);
  CHECK(with("batch", "7").program->training->batch == 7);
  CHECK(with("train.seed", "5").program->training->seed == 5);
  CHECK(with("seed", "6").program->training->seed == 6);
  CHECK(with("digits.split.seed", "3").program->data->split->seed == 3);
  CHECK(with("stop", "10 steps").program->training->stop[0].value == 10);
  CHECK(with("optimizer", "sgd(lr = 1)").program->training->rule.name == "sgd");
  CHECK(
      with("cls", "12").program->graph.type(*with("cls", "12").program->graph.find_output("predict")).shape ==
      Shape{kBatch, 12});
}

TEST_CASE("--set adds what the text leaves to defaults") {
  const Compiled compiled = with("optimizer.rho1", "0.8");
  REQUIRE(compiled.program);
  CHECK(compiled.program->training->rule.hypers[1].name == "optimizer.rho1");
  CHECK(compiled.program->training->rule.hypers[1].value == 0.8);
  CHECK_FALSE(with("shuffle", "none").program->training->is_shuffled);
}

TEST_CASE("--set reaches a const inside a model") {
  const Compiled compiled = compile_text(example_text("backprop/net.dlg"), {{"net.b1", "0.5"}});
  REQUIRE(compiled.program);
  const Graph& graph = compiled.program->graph;
  CHECK(graph.states[*graph.find_state("net.b1")].initial.a == 0.5);
}

TEST_CASE("--set of an unknown key is an error with a suggestion, of a wrong value an error in its text") {
  const Compiled unknown = with("optimizr.lr", "1");
  CHECK(unknown.errors() == "--set optimizr.lr=1:1 `--set optimizr.lr` names nothing in the program\n");
  CHECK(unknown.diagnostics.all().front().suggestion->replacement == "optimizer.lr");
  CHECK(with("optimizer.lt", "1").errors() == "--set optimizer.lt=1:1 `adam` has no argument `lt`\n");
  CHECK(with("batch", "0").errors() == "--set batch=0:1 `batch` is `0`, expected at least 1\n");
  CHECK_FALSE(with("batch", "(1").program);
}

}  // namespace
}  // namespace dlg
