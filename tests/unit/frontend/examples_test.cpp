// Owns the tests that the examples elaborate to what they say.
#include <set>

#include "ir/graph/text.h"
#include "ir/graph/verify.h"
#include "tests/unit/frontend/compiled.h"

namespace dlg {
namespace {

TEST_CASE("the worked example becomes a graph with loss, prediction and expectations") {
  const Compiled compiled = compile_text(example_text("backprop/net.dlg"));
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  const CheckedProgram& program = *compiled.program;
  CHECK(program.dtype == DType::kF64);
  CHECK(program.model_name == "net");
  CHECK(verify(program.graph, Stage::kGraph) == std::nullopt);
  REQUIRE(program.graph.find_output("loss"));
  CHECK(program.graph.type(*program.graph.find_output("loss")) == TensorType{DType::kF64, {}});
  REQUIRE(program.graph.find_output("predict"));
  CHECK(program.graph.type(*program.graph.find_output("predict")) == TensorType{DType::kF64, {kBatch, 2}});
  REQUIRE(program.expectations.size() == 4);
  CHECK(program.expectations[0].expected == 0.59327);
  CHECK(program.expectations[0].tolerance == 5e-6);
  CHECK(program.expectations[3].after_steps == 1);
  CHECK(program.training->rule.name == "sgd");
  REQUIRE(program.training->stop.size() == 1);
  CHECK(program.training->stop[0].text == "1 steps");
  std::vector<std::string> names;
  for (const NamedValue& named : program.values) names.push_back(named.name);
  CHECK(names == std::vector<std::string>{"net.H", "net.h", "net.z", "net", "E"});
  REQUIRE(program.graph.find_state("net.W1"));
  CHECK(program.graph.states[*program.graph.find_state("net.W1")].kind == StateKind::kParameter);
  CHECK(program.graph.states[*program.graph.find_state("net.b1")].kind == StateKind::kConstant);
  INFO(print_graph(program.graph, compiled.sources));
  CHECK(program.graph.inputs.size() == 2);
}

TEST_CASE("the digits example names its layers and reads its columns") {
  const Compiled compiled = compile_text(example_text("digits/mlp.dlg"));
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  const CheckedProgram& program = *compiled.program;
  std::set<std::string> paths;
  for (const State& state : program.graph.states) paths.insert(state.path);
  CHECK(paths ==
        std::set<std::string>{"mlp.dense[0].W", "mlp.dense[0].b", "mlp.dense[1].W", "mlp.dense[1].b"});
  REQUIRE(program.data);
  REQUIRE(program.data->fields.size() == 2);
  CHECK(program.data->fields[0].type == TensorType{DType::kF32, {kBatch, 64}});
  CHECK(program.data->fields[0].source.scale_divide == 16);
  CHECK(program.data->fields[1].type == TensorType{DType::kI32, {kBatch}});
  CHECK(program.data->file->header == CsvHeader::kNone);
  REQUIRE(program.training->metrics.size() == 1);
  CHECK(program.training->metrics[0].name == "accuracy");
  CHECK(program.training->metrics[0].is_percent);
  CHECK(program.graph.batch == 32);
  CHECK(verify(program.graph, Stage::kGraph) == std::nullopt);
}

TEST_CASE("every other example elaborates") {
  const std::string name = GENERATE("optimizers/own_rule", "optimizers/linear_regression",
                                    "optimizers/ravine", "optimizers/shared", "xor/xor");
  const Compiled compiled = compile_text(example_text(name + ".dlg"));
  INFO(name);
  CHECK(compiled.errors() == "");
  REQUIRE(compiled.program);
  CHECK(verify(compiled.program->graph, Stage::kGraph) == std::nullopt);
}

}  // namespace
}  // namespace dlg
