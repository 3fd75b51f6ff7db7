// Owns the run of random training steps through fusion, plan and loops: fused and unfused kernels give the
// same bits, and in f64 they agree with the graph interpreter.
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "ir/loop/interpret.h"
#include "ir/loop/verify.h"
#include "passes/lower_to_loops.h"
#include "passes/pipeline.h"
#include "passes/plan.h"
#include "tests/catch.h"
#include "tests/random_graphs/checks.h"
#include "tests/random_graphs/generator.h"
#include "tests/random_graphs/rules.h"

using namespace dlg;
using namespace dlg::test;

namespace {

/// Another order of the same f64 sums, relative to the largest number of the tensor.
constexpr double kTolerance = 1e-9;

using Results = std::unordered_map<std::string, std::vector<double>>;

Environment<double> full_environment(const Graph& graph, const RandomGraph& random) {
  Environment<double> environment = default_environment(graph);
  environment.rows = random.environment.rows;
  for (const auto& [path, tensor] : random.environment.states) environment.states[path] = tensor;
  for (const auto& [path, tensor] : random.environment.inputs) environment.inputs[path] = tensor;
  return environment;
}

Results interpreted(const Graph& graph, const Environment<double>& environment) {
  const auto values = interpret(graph, environment);
  Results results;
  for (const Output& output : graph.outputs) results[output.name] = values[output.value].elements;
  for (const Effect& effect : graph.effects) {
    results[graph.states[effect.state].path] = values[effect.value].elements;
  }
  return results;
}

struct Step {
  Graph graph;
  loop::Program program;
  Plan plan;
};

Failure make_step(const RandomGraph& random, Fusion fusion, Step& step) {
  const TestRule& rule = test_rules()[random.seed % test_rules().size()];
  step.graph = run_pipeline(random.graph, {.rule = &rule.rule, .fusion = fusion});
  step.plan = plan_memory(step.graph);
  if (const Failure failure = check_plan(step.graph, step.plan)) return failure;
  step.program = lower_to_loops(step.graph, step.plan);
  return loop::verify(step.program);
}

Results looped(const Step& step, const Environment<double>& environment) {
  loop::Machine machine(step.program);
  const auto buffer = [&](loop::BufferKind kind, const std::string& source) -> std::vector<double>& {
    return machine.buffer(*step.program.find_buffer(kind, source));
  };
  for (const auto& [path, tensor] : environment.states)
    buffer(loop::BufferKind::kState, path) = tensor.elements;
  for (const auto& [path, tensor] : environment.inputs) {
    if (step.program.find_buffer(loop::BufferKind::kData, path)) machine.set_data(path, tensor.elements);
  }
  for (const auto& [name, value] : environment.hypers) buffer(loop::BufferKind::kHyper, name) = {value};
  std::vector<std::int64_t> order(static_cast<std::size_t>(environment.rows));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  machine.step(environment.rows, order);
  Results results;
  for (const Output& output : step.graph.outputs) {
    results[output.name] = buffer(loop::BufferKind::kOutput, output.name);
    const Shape shape = step.graph.type(output.value).shape.at(environment.rows);
    results[output.name].resize(static_cast<std::size_t>(shape.elements()));
  }
  for (const Effect& effect : step.graph.effects) {
    const std::string& path = step.graph.states[effect.state].path;
    results[path] = buffer(loop::BufferKind::kState, path);
  }
  return results;
}

bool is_same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

/// `tolerance` 0: the same bits.
Failure differing(const Results& found, const Results& expected, double tolerance) {
  for (const auto& [name, elements] : expected) {
    double size = 1;
    for (const double x : elements) size = std::isfinite(x) ? std::max(size, std::abs(x)) : size;
    for (std::size_t i = 0; i < elements.size(); ++i) {
      const double a = found.at(name)[i];
      const double b = elements[i];
      if (is_same(a, b) || std::abs(a - b) <= tolerance * size) continue;
      return fmt::format("`{}`[{}] is {}, expected {}", name, i, a, b);
    }
  }
  return std::nullopt;
}

bool is_f64(const Graph& graph) {
  return std::none_of(graph.nodes.begin(), graph.nodes.end(),
                      [](const Node& node) { return node.type.dtype == DType::kF32; });
}

Failure check_loops(const RandomGraph& random) {
  Step fused;
  Step single;
  if (const Failure failure = make_step(random, Fusion::kOn, fused)) return "fused: " + *failure;
  if (const Failure failure = make_step(random, Fusion::kOff, single)) return "unfused: " + *failure;
  const Environment<double> environment = full_environment(fused.graph, random);
  const Results results = looped(fused, environment);
  if (const Failure failure = differing(results, looped(single, environment), 0)) {
    return "fused against unfused: " + *failure;
  }
  if (!is_f64(random.graph)) return std::nullopt;
  const Failure failure = differing(results, interpreted(fused.graph, environment), kTolerance);
  return failure ? "loops against the graph: " + *failure : failure;
}

}  // namespace

TEST_CASE("random training steps give the same bits fused and unfused") {
  const char* count = std::getenv("DLG_RANDOM_COUNT");
  const std::uint64_t last = count == nullptr ? 1000 : std::strtoull(count, nullptr, 10);
  for (std::uint64_t seed = 1; seed <= last; ++seed) {
    const Failure failure = check_loops(random_graph(seed));
    INFO("seed " << seed << ": " << failure.value_or(""));
    CHECK_FALSE(failure.has_value());
  }
}
