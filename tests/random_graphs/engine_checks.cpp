#include "tests/random_graphs/engine_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "passes/lower_to_loops.h"
#include "passes/plan.h"
#include "tests/random_graphs/rules.h"
#include "tests/step_forms.h"

namespace dlg::test {
namespace {

/// How many of its bounds an engine may be away from the f64 interpreter.
constexpr double kBounds = 4;
/// Another order of the same f64 sums, relative to the largest number of the tensor.
constexpr double kTolerance = 1e-9;

/// What the f64 interpreter says of a step, with the error that its engines may make.
using Reference = std::map<std::string, std::vector<Bound>>;

struct Step {
  Graph graph;
  loop::Program program;
  StepValues loops;  // what the loop interpreter makes of it
  Reference reference;
};

Failure check_loop_text(const loop::Program& program) {
  const std::string text = loop::print_program(program, Sources());
  Sources sources;
  Diagnostics diagnostics;
  const auto parsed = loop::parse_program(sources, sources.add("random.ir", text), diagnostics);
  if (!parsed) return fmt::format("the text does not parse: {}", diagnostics.all().front().message);
  const bool is_same_text = loop::print_program(*parsed, sources) == text;
  return is_same_text ? std::nullopt : Failure("the text printed again has other bytes:\n" + text);
}

Failure make_step(const RandomGraph& random, Fusion fusion, Step& step) {
  step.graph = run_pipeline(random.graph, {.rule = &rule_of(random).rule, .fusion = fusion});
  const Plan plan = plan_memory(step.graph);
  if (const Failure failure = check_plan(step.graph, plan)) return "plan: " + *failure;
  step.program = lower_to_loops(step.graph, plan);
  if (const Failure failure = loop::verify(step.program)) return "loops: " + *failure;
  const Failure failure = check_loop_text(step.program);
  return failure ? "loops: " + *failure : failure;
}

/// The first element where `are_alike` does not hold.
template <class Alike>
Failure differing(const StepValues& found, const StepValues& expected, const Alike& are_alike) {
  for (const auto& [name, elements] : expected) {
    const auto other = found.find(name);
    if (other == found.end() || other->second.size() != elements.size())
      return fmt::format("`{}` is lost", name);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (are_alike(other->second[i], elements[i])) continue;
      return fmt::format("`{}`[{}] is {}, expected {}", name, i, other->second[i], elements[i]);
    }
  }
  return std::nullopt;
}

Environment<Bound> bounded(const Environment<double>& from) {
  const auto convert = [](const Tensor<double>& tensor) {
    Tensor<Bound> copy{tensor.shape, {}};
    for (const double x : tensor.elements) copy.elements.push_back({x});
    return copy;
  };
  Environment<Bound> to;
  to.rows = from.rows;
  for (const auto& [path, tensor] : from.states) to.states[path] = convert(tensor);
  for (const auto& [path, tensor] : from.inputs) to.inputs[path] = convert(tensor);
  for (const auto& [name, value] : from.hypers) to.hypers[name] = {value};
  return to;
}

Reference reference_of(const Graph& graph, const Environment<double>& environment) {
  const auto values = interpret(graph, bounded(environment));
  Reference reference;
  for (const Output& output : graph.outputs) reference[output.name] = values[output.value].elements;
  for (const Effect& effect : graph.effects) {
    reference["<- " + graph.states[effect.state].path] = values[effect.value].elements;
  }
  return reference;
}

/// Undecided comparisons and overflow leave no bound; then `open` is what remains to be asked for.
bool is_within(double found, const Bound& expected, double open) {
  if (is_same_number(found, expected.value)) return true;
  const bool has_bound = std::isfinite(expected.error);
  if (!has_bound && std::isinf(open)) return true;
  return std::abs(found - expected.value) <= (has_bound ? kBounds * expected.error : open);
}

/// `relative`: the tolerance of elements without a bound, in terms of the largest number of the tensor.
Failure outside(const StepValues& found, const Reference& reference, double relative) {
  for (const auto& [name, elements] : reference) {
    double size = 1;
    for (const Bound& x : elements) size = std::isfinite(x.value) ? std::max(size, std::abs(x.value)) : size;
    const auto other = found.find(name);
    if (other == found.end() || other->second.size() != elements.size())
      return fmt::format("`{}` is lost", name);
    for (std::size_t i = 0; i < elements.size(); ++i) {
      if (is_within(other->second[i], elements[i], relative * size)) continue;
      return fmt::format("`{}`[{}] is {}, in f64 {} +- {}", name, i, other->second[i], elements[i].value,
                         elements[i].error);
    }
  }
  return std::nullopt;
}

double open_tolerance(const Graph& graph) {
  const bool is_f64 = std::none_of(graph.nodes.begin(), graph.nodes.end(),
                                   [](const Node& node) { return node.type.dtype == DType::kF32; });
  return is_f64 ? kTolerance : std::numeric_limits<double>::infinity();
}

Failure check_way(const Step& step, const Environment<double>& environment, const CompiledWay& way) {
  for (const StepForm form : step_forms(step.program)) {
    const CompiledProgram code = compile(step.program, way.target, form);
    const StepValues compiled = run_compiled(step.program, code, environment);
    const bool has_own_bits = way.target == Target::kSse2;
    const Failure failure = has_own_bits ? outside(compiled, step.reference, open_tolerance(step.graph))
                                         : differing(compiled, step.loops, is_same_number);
    if (!failure) continue;
    return fmt::format("compiled for {}, {}, {}: {}", target_name(way.target),
                       way.fusion == Fusion::kOn ? "fused" : "unfused", form_name(form), *failure);
  }
  return std::nullopt;
}

}  // namespace

Failure check_engines(const RandomGraph& random, const std::vector<CompiledWay>& ways) {
  Step fused;
  Step unfused;
  if (const Failure failure = make_step(random, Fusion::kOn, fused)) return "fused " + *failure;
  if (const Failure failure = make_step(random, Fusion::kOff, unfused)) return "unfused " + *failure;
  const Environment<double> environment = environment_of(fused.graph, random);
  for (Step* step : {&fused, &unfused}) {
    step->loops = run_loops(step->program, environment);
    step->reference = reference_of(step->graph, environment);
  }
  if (const Failure failure = differing(fused.loops, unfused.loops, is_same_number)) {
    return "fused against unfused: " + *failure;
  }
  if (const Failure failure = outside(fused.loops, fused.reference, open_tolerance(fused.graph))) {
    return "loops: " + *failure;
  }
  for (const CompiledWay& way : ways) {
    const Failure failure = check_way(way.fusion == Fusion::kOn ? fused : unfused, environment, way);
    if (failure) return failure;
  }
  return std::nullopt;
}

}  // namespace dlg::test
