#include "tests/random_graphs/worker_checks.h"

#include <fmt/format.h>

#include "passes/lower_to_loops.h"
#include "passes/plan/plan.h"

namespace dlg::test {
namespace {

constexpr std::int64_t kWideBatch = 20000;
constexpr std::int64_t kWideRows = kWideBatch - 37;

void repeat_rows(Tensor<double>& tensor, const Shape& shape) {
  const std::vector<double> once = tensor.elements;
  tensor.shape = shape;
  tensor.elements.resize(static_cast<std::size_t>(shape.elements()));
  for (std::size_t i = 0; i < tensor.elements.size(); ++i) tensor.elements[i] = once[i % once.size()];
}

bool is_same(const StepValues& found, const StepValues& expected) {
  return std::equal(
      found.begin(), found.end(), expected.begin(), expected.end(), [](const auto& a, const auto& b) {
        return a.first == b.first &&
               std::equal(a.second.begin(), a.second.end(), b.second.begin(), b.second.end(), is_same_number);
      });
}

}  // namespace

std::optional<RandomGraph> widened(RandomGraph random) {
  if (random.graph.inputs.empty()) return std::nullopt;
  for (const Input& input : random.graph.inputs) {
    repeat_rows(random.environment.inputs.at(input.path), input.type.shape.at(kWideRows));
  }
  random.graph.batch = kWideBatch;
  random.environment.rows = kWideRows;
  return random;
}

Failure check_workers(const RandomGraph& wide, const CompiledWay& way, const Guarding& guarding,
                      int& phases) {
  const UpdateRule update = elaborated(rule_of(wide).rule, wide.graph);
  const PassContext context{.rule = &update, .fusion = way.fusion};
  const Graph graph = run_pipeline(wide.graph, context);
  const loop::Program program = lower_to_loops(graph, plan_memory(graph));
  const Environment<double> environment = environment_of(graph, wide);
  const GuardedProgram code(program, {.target = way.target, .form = StepForm::kLoops}, guarding);
  const StepRun alone = run_compiled(code, environment);
  if (!alone.fault.empty()) return alone.fault;
  if (!is_same(alone.values, run_loops(program, environment, fusing_of(way.target))))
    return "not as the loops";
  for (const std::int64_t workers : {1, 2, 3}) {
    const StepRun together = run_compiled(code, environment, workers);
    phases += together.phases;
    if (!together.fault.empty()) return fmt::format("{} workers: {}", workers, together.fault);
    if (!is_same(together.values, alone.values)) return fmt::format("{} workers change the bits", workers);
  }
  return std::nullopt;
}

}  // namespace dlg::test
