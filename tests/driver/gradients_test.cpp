// Owns the proof that the f32 gradients of wide networks, as compiled training steps use them, are those of
// the f64 interpreter to a relative L2 of 2e-6.
#include <fmt/format.h>

#include <cmath>

#include "driver/engine/programs.h"
#include "driver/engine/reference.h"
#include "passes/derive/differentiate.h"
#include "passes/derive/update.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"
#include "tests/engines/engines.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr double kMostError = 2e-6;

struct Net {
  std::string layers;  // between input and output
  std::string loss;
  int width;  // of the input
  int batch;
};

/// A row: the input in steps of 1/256, which f32 holds, the class and the ten numbers of a target.
std::string csv_row(const Net& net, int row) {
  constexpr unsigned kPrime = 2654435761;
  std::string text;
  unsigned state = static_cast<unsigned>(row + 1) * kPrime;
  for (int i = 0; i < net.width; ++i) {
    state = state * 1664525U + 1013904223U;
    text += fmt::format("{},", state >> 24);
  }
  text += std::to_string(row % 10);
  for (int i = 0; i < 10; ++i) text += fmt::format(",{}", (row * 7 + i * 5) % 11 * 8);
  return text + "\n";
}

/// Momentum without memory leaves the gradient itself in its state `v` after one step.
std::string program_of(const Net& net) {
  const std::string target =
      net.loss == "mse" ? fmt::format("columns({}..{}) / 128 as [cls]", net.width + 1, net.width + 10)
                        : fmt::format("class(column({}))", net.width);
  return fmt::format(R"(dlg 1
dim inp = {}
dim cls = 10
data d {{
  file = csv("rows.csv", header = none)
  x    = columns(0..{}) / 256 as [inp]
  t    = {}
}}
model net(x: [inp]) -> [cls] = x |> {} |> dense(cls)
train {{
  minimize  = {}(net(d.x), d.t)
  optimizer = momentum(lr = 1, beta = 0)
  batch     = {}
  stop      = [1 steps]
}}
)",
                     net.width, net.width - 1, target, net.layers, net.loss, net.batch);
}

/// The gradient of everything, one parameter behind the other.
std::vector<double> gradient_in(const StateValues& states) {
  std::vector<double> gradient;
  for (const auto& [path, values] : states) {
    if (path.ends_with(".v")) gradient.insert(gradient.end(), values.begin(), values.end());
  }
  return gradient;
}

/// Where both engines start: numbers that f32 holds.
StateValues start_of(const Graph& graph) {
  StateValues states = initial_states(graph, 1);
  for (auto& [path, values] : states) {
    for (double& value : values) value = static_cast<double>(static_cast<float>(value));
  }
  return states;
}

std::vector<double> compiled_gradient(LoadedProgram& loaded, Target target) {
  loaded.session().engine_options.target = target;
  const std::unique_ptr<Machine> machine =
      make_trainer(loaded.session(), loaded.setup(), loaded.setup().rule);
  REQUIRE(machine);
  machine->set_states(start_of(machine->graph()));
  CHECK(machine->run_rows(batch_of_step(loaded.setup().plan, 0)) == kDlgStepsDone);
  return gradient_in(machine->states());
}

std::vector<double> reference_gradient(const LoadedProgram& loaded) {
  const Graph forward =
      training_graph(loaded.program(), static_cast<std::int64_t>(loaded.data().parts.train.size()));
  Reference reference(apply_update(differentiate(forward), loaded.program().training->rule),
                      loaded.data().all_values());
  reference.set_states(start_of(reference.graph()));
  reference.run_rows(batch_of_step(loaded.setup().plan, 0));
  return gradient_in(reference.states());
}

double relative_distance(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  double distance = 0;
  double size = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    distance += (found[i] - expected[i]) * (found[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  REQUIRE(size > 0);
  return std::sqrt(distance / size);
}

/// On every target that this machine can run.
void check_gradient(const Net& net) {
  const TempFolder folder;
  std::string rows;
  for (int row = 0; row < net.batch; ++row) rows += csv_row(net, row);
  folder.write("rows.csv", rows);
  LoadedProgram loaded(folder.write("net.dlg", program_of(net)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::vector<double> reference = reference_gradient(loaded);
  for (const Target target : runnable_targets()) {
    const double distance = relative_distance(compiled_gradient(loaded, target), reference);
    CAPTURE(net.width, net.layers, net.loss, net.batch, target_name(target), distance);
    CHECK(distance <= kMostError);
    // Two dtypes never agree on all of so many numbers: it was f32 that was compared.
    CHECK(distance > 0);
  }
}

TEST_CASE("f32 gradients: 64 wide") {
  check_gradient({"dense(64, relu)", "cross_entropy", 64, 128});
  check_gradient({"dense(64, tanh) |> dense(64, sigmoid)", "mse", 64, 50});
}

TEST_CASE("f32 gradients: 128 and 256 wide") {
  check_gradient({"dense(128, tanh)", "cross_entropy", 128, 64});
  check_gradient({"dense(256, sigmoid) |> dense(128, relu)", "mse", 256, 32});
}

TEST_CASE("f32 gradients: 784 wide") {
  check_gradient({"dense(256, relu)", "cross_entropy", 784, 16});
  check_gradient({"dense(128, relu) |> dense(784, tanh)", "cross_entropy", 784, 16});
  check_gradient({"dense(128, sigmoid)", "mse", 784, 32});
}

}  // namespace
