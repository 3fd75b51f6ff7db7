#include "tests/random_graphs/engine_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "codegen/module_facts.h"
#include "ir/loop/memory_proof.h"
#include "ir/loop/schedule.h"
#include "ir/loop/text.h"
#include "ir/loop/verify.h"
#include "ir/ops/ranges.h"
#include "passes/lower_to_loops.h"
#include "passes/plan/plan.h"
#include "tests/layouts.h"
#include "tests/near.h"
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
  Graph simplified;  // before any index is guarded
  Graph graph;
  loop::Program program;
  std::map<loop::Fusing, StepValues> loops;  // what the loop interpreter makes of it
};

/// One way through codegen, in one form, and the memories and efforts that it is compiled for.
struct CompiledForm {
  CompiledWay way;
  StepForm form = StepForm::kLoops;
  std::vector<Guarding> guardings;
  std::vector<Effort> efforts;
  std::uint64_t turn = 0;
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
  const UpdateRule update = elaborated(rule_of(random).rule, random.graph);
  const PassContext context{.rule = &update, .fusion = fusion};
  step.graph = run_pipeline(random.graph, context, [&](const PassInfo& pass, const Graph& made) {
    if (pass.name == "simplify") step.simplified = made;
    return true;
  });
  step.program = lower_to_loops(step.graph, plan_memory(step.graph));
  if (const Failure failure = loop::verify(step.program)) return "loops: " + *failure;
  if (const Failure failure = loop::prove_memory(step.program, loop::obligations_of(step.graph))) {
    return "memory: " + *failure;
  }
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

/// Of a step that is not made because of an index outside: the fault, and states as they were.
Reference refused_reference_of(const Graph& graph, const Environment<double>& environment) {
  const auto values = interpret(graph, bounded(environment));
  Reference reference;
  reference[std::string(kFaultOutput)] = values[*graph.find_output(kFaultOutput)].elements;
  for (const auto& [path, tensor] : bounded(environment).states) reference["<- " + path] = tensor.elements;
  return reference;
}

/// Whether a step is to be refused: found by the numbers alone.
bool has_index_outside(const Graph& simplified, const Environment<double>& environment) {
  const auto values = interpret(simplified, environment);
  const std::vector<IndexUse> uses = index_uses(simplified);
  return std::any_of(uses.begin(), uses.end(), [&](const IndexUse& use) {
    const std::vector<double>& indices = values[use.index].elements;
    return std::any_of(indices.begin(), indices.end(),
                       [&](double index) { return index < 0 || index >= static_cast<double>(use.extent); });
  });
}

bool is_refused(const StepValues& values) {
  const auto fault = values.find(std::string(kFaultOutput));
  return fault != values.end() && fault->second.front() != 0;
}

/// Undecided comparisons and overflow leave no bound; then `open` is what remains to be asked for.
bool is_within(double found, const Bound& expected, double open) {
  if (std::isfinite(expected.error)) return is_near(found, expected.value, kBounds * expected.error);
  const bool is_f32 = expected.unit == unit_of(DType::kF32);
  return is_near(found, is_f32 ? as_f32(expected.value) : expected.value, open);
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

/// What the code of one form asks of its memory and of the stack.
Failure check_facts(const loop::Program& program, const CompiledWay& way, StepForm form) {
  const ModuleFacts facts = module_facts(scheduled(program, way.target, form), way.target);
  if (!facts.unfounded.empty()) return "not as aligned as it says: " + facts.unfounded.front();
  if (facts.most_stack_bytes <= kMostStackBytes) return std::nullopt;
  return fmt::format("{} bytes on the stack", facts.most_stack_bytes);
}

Failure check_guarded(const Step& step, const Environment<double>& environment, const CompiledForm& form,
                      const Guarding& guarding) {
  for (const Effort effort : form.efforts) {
    const CompiledAs how{.target = form.way.target,
                         .form = form.form,
                         .effort = effort,
                         .schedule_seed = form.way.schedules == Schedules::kRandom ? form.turn + 1 : 0};
    const StepRun compiled = run_compiled(GuardedProgram(step.program, how, guarding), environment);
    Failure failure = compiled.fault;
    if (compiled.fault.empty()) {
      failure = differing(compiled.values, step.loops.at(fusing_of(form.way.target)), is_same_number);
    }
    if (failure) return effort == Effort::kFull ? failure : "with small effort: " + *failure;
  }
  return std::nullopt;
}

Failure check_form(const Step& step, const Environment<double>& environment, const CompiledForm& form) {
  Failure failure = check_facts(step.program, form.way, form.form);
  for (const Guarding& guarding : form.guardings) {
    if (!failure) failure = check_guarded(step, environment, form, guarding);
  }
  if (!failure) return std::nullopt;
  return fmt::format("compiled for {}, {}, {}{}{}: {}", target_name(form.way.target),
                     fusion_name(form.way.fusion), form_name(form.form),
                     form.way.layouts == Layouts::kRandom ? ", laid out at random" : "",
                     form.way.schedules == Schedules::kRandom ? ", scheduled at random" : "", *failure);
}

/// The schedule for one core in turn, whatever machine this is: its laws, its text, and the bits of the step
/// when the loop interpreter follows it.
Failure check_schedule(const Step& step, const Environment<double>& environment, std::uint64_t turn) {
  const loop::Core& core = loop::cores()[turn % loop::cores().size()];
  const loop::Program chosen = schedule_loops(step.program, core);
  const bool is_fused = core.fma == loop::FmaSupport::kNative;
  const auto expected = step.loops.find(is_fused ? loop::Fusing::kOnce : loop::Fusing::kTwice);
  for (const loop::Program& program : {chosen, RandomSchedules(turn + 1).of(chosen)}) {
    if (const auto broken = loop::verify_schedule(program)) return broken->sentence;
    if (Failure failure = check_loop_text(program)) return failure;
    if (expected == step.loops.end()) continue;
    const StepValues found = run_loops(program, environment, expected->first);
    if (Failure failure = differing(found, expected->second, is_same_number)) return failure;
  }
  return std::nullopt;
}

/// Makes each step and runs it in the interpreters; all must have the same bits.
Failure run_steps(const RandomGraph& random, const std::set<loop::Fusing>& fusings,
                  std::map<Fusion, Step>& steps, Environment<double>& environment) {
  for (auto& [fusion, step] : steps) {
    const Failure failure = make_step(random, fusion, step);
    if (failure) return fmt::format("{} {}", fusion_name(fusion), *failure);
  }
  const Step& unfused = steps.at(Fusion::kOff);
  environment = environment_of(unfused.graph, random);
  for (auto& [fusion, step] : steps) {
    for (const loop::Fusing fusing : fusings) {
      step.loops[fusing] = run_loops(step.program, environment, fusing);
      if (is_refused(step.loops[fusing]) == has_index_outside(step.simplified, environment)) continue;
      return fmt::format("{}: an index outside is not told of, or one inside is", fusion_name(fusion));
    }
    const Failure failure = check_schedule(step, environment, random.seed);
    if (failure) return fmt::format("{}, scheduled: {}", fusion_name(fusion), *failure);
  }
  const bool has_fault = is_refused(unfused.loops.at(loop::Fusing::kOnce));
  const Reference reference =
      has_fault ? refused_reference_of(unfused.graph, environment) : reference_of(unfused.graph, environment);
  for (const loop::Fusing fusing : fusings) {
    for (const auto& [fusion, step] : steps) {
      const Failure failure = differing(step.loops.at(fusing), unfused.loops.at(fusing), is_same_number);
      if (failure) return fmt::format("{} against unfused: {}", fusion_name(fusion), *failure);
    }
    const Failure failure = outside(unfused.loops.at(fusing), reference, open_tolerance(unfused.graph));
    if (failure) return "loops: " + *failure;
  }
  return std::nullopt;
}

/// The step with its buffers in random layouts.
Failure lay_out(Step& step, std::uint64_t seed) {
  step.program = RandomLayouts(seed).of(std::move(step.program));
  if (const Failure failure = loop::verify(step.program)) return failure;
  if (const Failure failure = loop::prove_memory(step.program, loop::obligations_of(step.graph)))
    return "memory: " + *failure;
  return check_loop_text(step.program);
}

std::set<loop::Fusing> fusings_of(const std::vector<CompiledWay>& ways) {
  std::set<loop::Fusing> fusings{loop::Fusing::kOnce};
  for (const CompiledWay& way : ways) fusings.insert(fusing_of(way.target));
  return fusings;
}

}  // namespace

std::string_view fusion_name(Fusion fusion) {
  if (fusion == Fusion::kWithoutUpdates) return "fused without updates";
  return fusion == Fusion::kOn ? "fused" : "unfused";
}

Failure check_engines(const RandomGraph& random, const std::vector<CompiledWay>& ways, Guards guards) {
  std::map<Fusion, Step> steps;
  for (const Fusion fusion : {Fusion::kOn, Fusion::kOff}) steps[fusion] = {};
  for (const CompiledWay& way : ways) steps[way.fusion] = {};
  Environment<double> environment;
  if (Failure failure = run_steps(random, fusings_of(ways), steps, environment)) return failure;
  std::uint64_t turn = random.seed;
  for (const CompiledWay& way : ways) {
    Step step = steps.at(way.fusion);
    if (way.layouts == Layouts::kRandom) {
      if (Failure failure = lay_out(step, random.seed)) return "laid out at random: " + *failure;
    }
    for (const StepForm form : step_forms(step.program)) {
      const std::vector<Guarding> guardings =
          guards == Guards::kAll ? all_guardings() : std::vector{guarding_of(turn)};
      // Little is left to the compiler, so every second one is enough.
      std::vector<Effort> efforts{Effort::kFull};
      if (guards == Guards::kAll || turn % 2 == 0) efforts.push_back(Effort::kSmall);
      if (Failure failure = check_form(step, environment, {way, form, guardings, efforts, turn}))
        return failure;
      ++turn;
    }
  }
  return std::nullopt;
}

}  // namespace dlg::test
