#include "driver/race/contest.h"

#include <fmt/format.h>

#include <cmath>

#include "driver/engine/inspection.h"
#include "driver/engine/programs.h"
#include "driver/race/norm.h"
#include "driver/training/judge.h"
#include "runtime/interrupt.h"

namespace dlg {
namespace {

/// A race without a limit of steps ends here.
constexpr std::int64_t kMostSteps = 1'000'000;

std::size_t elements_of(const State& state) {
  return static_cast<std::size_t>(state.type.shape.elements());
}

/// "w[0]", "W[1,0]"; a scalar goes by its name.
std::vector<std::string> element_names(const std::string& name, const Shape& shape) {
  if (shape.rank() == 0) return {name};
  std::vector<std::string> names{name + "["};
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    std::vector<std::string> longer;
    for (const std::string& start : names) {
      for (std::int64_t i = 0; i < shape[axis]; ++i) {
        longer.push_back(fmt::format("{}{}{}", start, axis == 0 ? "" : ",", i));
      }
    }
    names = std::move(longer);
  }
  for (std::string& element : names) element += "]";
  return names;
}

/// The states whose values a page shows: trained parameters, then those of the rule.
std::vector<State> shown_states(const Graph& graph) {
  std::vector<State> shown = trained_parameters(graph);
  for (const State& state : graph.states) {
    if (state.kind == StateKind::kOptimizer) shown.push_back(state);
  }
  return shown;
}

/// The name of a state inside a race: without the model, where there is one parameter only.
std::string short_name(const std::string& path, std::size_t parameters) {
  return parameters == 1 ? path.substr(path.find('.') + 1) : path;
}

std::vector<double> flat_values(const std::vector<State>& states, const StateValues& values) {
  std::vector<double> flat;
  for (const State& state : states) {
    const std::vector<double>& part = values.at(state.path);
    flat.insert(flat.end(), part.begin(), part.end());
  }
  return flat;
}

std::size_t count_elements(const std::vector<State>& states) {
  std::size_t count = 0;
  for (const State& state : states) count += elements_of(state);
  return count;
}

std::vector<std::string> names_of(const std::vector<State>& states, std::size_t parameters) {
  std::vector<std::string> names;
  for (const State& state : states) {
    for (std::string& name : element_names(short_name(state.path, parameters), state.type.shape)) {
      names.push_back(std::move(name));
    }
  }
  return names;
}

TrainPlan race_plan(TrainPlan plan) {
  if (!plan.stop.steps || *plan.stop.steps > kMostSteps) plan.stop.steps = kMostSteps;
  plan.stop_flag = interrupt_flag();
  return plan;
}

std::vector<std::string> norm_names(const std::vector<State>& states, std::size_t parameters) {
  std::vector<std::string> names;
  for (const State& state : states) names.push_back("|" + short_name(state.path, parameters) + "|");
  return names;
}

/// Keeps what each call of one step brings.
class Recorder {
 public:
  Recorder(RaceRun& run, Machine& machine, Objective& objective, std::int64_t accumulate)
      : run_(run), machine_(machine), objective_(objective), accumulate_(accumulate) {
    const std::vector<State> parameters = trained_parameters(machine.graph());
    shown_ = shown_states(machine.graph());
    keeps_all_ = count_elements(parameters) <= kFewVariables;
    run_.columns = keeps_all_ ? names_of(shown_, parameters.size()) : norm_names(shown_, parameters.size());
  }

  void before_first() {
    if (keeps_all_) keep(0, objective_.at(machine_.states()));
  }

  void after_step(const TrainProgress& progress) {
    if (progress.steps == told_steps_) return;
    told_steps_ = progress.steps;
    if (progress.steps % accumulate_ != 0) return;
    const std::int64_t updates = progress.steps / accumulate_;
    if (keeps_all_) return keep(updates, objective_.at(machine_.states()));
    if (progress.epoch_step == 0) keep(updates, progress.loss);
  }

 private:
  void keep(std::int64_t steps, double loss) {
    run_.at.push_back(steps);
    run_.losses.push_back(loss);
    run_.values.push_back(keeps_all_ ? flat_values(shown_, machine_.states()) : norms());
  }

  /// Of one tensor after the other, so that no copy of all of them is needed.
  std::vector<double> norms() const {
    std::vector<double> norms;
    for (const State& state : shown_) norms.push_back(norm_of(machine_.state(state.path).value()));
    return norms;
  }

  RaceRun& run_;
  Machine& machine_;
  Objective& objective_;
  std::vector<State> shown_;
  bool keeps_all_ = false;
  std::int64_t accumulate_;
  std::int64_t told_steps_ = 0;
};

/// What all rules run on.
struct Ground {
  Session& session;
  const TrainingSetup& setup;
  Objective& objective;
};

Measures measures_of(const Machine& machine, const Ground& ground) {
  Measures measures;
  measures.value = [&](const WatchedValue& watched, const TrainProgress& progress) {
    if (watched.part.empty()) return progress.loss;
    for (const Part& part : parts_of(ground.setup.data)) {
      if (part.name == watched.part) return ground.objective.measure(machine.states(), part, watched.name);
    }
    return std::nan("");
  };
  measures.gradient_norm = [&] { return machine.states().at(rule_state_path(kGradientNormState)).front(); };
  measures.weights = [&] { return machine.views(); };
  return measures;
}

bool run_rule(const Ground& ground, const Competitor& competitor, Contest& contest) {
  const Training& training = *ground.setup.program.training;
  const UpdateRule rule = rule_over(competitor.rule, ground.setup.length);
  const std::unique_ptr<Machine> machine = make_trainer(ground.session, ground.setup, rule);
  if (!machine) return false;
  machine->set_states(initial_states(machine->graph(), training.seed));
  RaceRun run;
  run.text = competitor.text;
  run.rule = &competitor.rule;
  Recorder recorder(run, *machine, ground.objective, training.accumulate);
  recorder.before_first();
  TrainObserver observer;
  observer.on_call = [&](const TrainProgress& progress) { recorder.after_step(progress); };
  const Measures measures = measures_of(*machine, ground);
  if (!competitor.rule.measured.empty()) {
    observer.measure = [&](const TrainProgress& progress) {
      machine->set_states(measured_states(
          competitor.rule, [&](const WatchedValue& watched) { return measures.value(watched, progress); }));
    };
  }
  Judge judge(training, measures);
  observer.judge = [&](const TrainProgress& progress) { return judge.look(progress); };
  observer.judge_at = JudgeAt::kEveryStep;
  const TrainResult result = train(machine->step_program(), race_plan(ground.setup.plan), observer);
  if (is_fault(result.end)) machine->step_program().on_fault(result.batch_rows);
  if (ground.session.diagnostics.has_errors()) return false;
  run.end = result.end;
  run.steps = result.progress.steps / training.accumulate;
  run.seconds = result.progress.seconds;
  run.final_loss = ground.objective.at(machine->states());
  contest.is_interrupted = run.end == TrainEnd::kInterrupted;
  // Of many variables nothing is kept before the first epoch has ended.
  const bool has_nothing = contest.is_interrupted && run.losses.empty();
  if (!has_nothing) contest.runs.push_back(std::move(run));
  return true;
}

}  // namespace

std::optional<Objective> Objective::make(Session& session, const TrainingSetup& setup) {
  std::unique_ptr<Evaluator> machine = make_evaluator(session, setup);
  if (!machine) return std::nullopt;
  return Objective(std::move(machine), trained_parameters(setup.program.graph),
                   initial_states(setup.program.graph, setup.plan.seed), setup.data.parts.train);
}

double Objective::measure(const StateValues& states, const Part& part, std::string_view name) {
  machine_->set_states(states_);
  machine_->set_states(states);
  // What was run before a signal is still to be shown.
  const std::vector<PartResult> results = evaluate_parts(*machine_, {part}, nullptr);
  if (results.empty()) return std::nan("");
  for (const auto& [found, value] : results.front().values) {
    if (found == name) return value;
  }
  return std::nan("");
}

double Objective::at(const StateValues& states) {
  return measure(states, {"", &rows_}, "loss");
}

double Objective::at_point(const std::vector<double>& point) {
  StateValues states;
  auto next = point.begin();
  for (const State& state : parameters_) {
    const auto end = next + static_cast<std::ptrdiff_t>(elements_of(state));
    states[state.path] = {next, end};
    next = end;
  }
  return at(states);
}

std::optional<Contest> run_contest(Session& session, const TrainingSetup& setup, Objective& objective) {
  const CheckedProgram& program = setup.program;
  Contest contest;
  contest.title = program.race->title;
  const std::vector<State> parameters = trained_parameters(program.graph);
  contest.variable_count = count_elements(parameters);
  if (contest.variable_count <= kFewVariables) {
    contest.variables = names_of(parameters, parameters.size());
    contest.start = flat_values(parameters, initial_states(program.graph, setup.plan.seed));
  }
  contest.is_stochastic = steps_of_epoch(setup.plan) > 1;
  contest.target = setup.plan.stop.loss_below;
  contest.rules = program.race->competitors.size();
  for (const Competitor& competitor : program.race->competitors) {
    contest.is_interrupted = contest.is_interrupted || interrupt_signal() != 0;
    if (contest.is_interrupted) break;
    if (!run_rule({session, setup, objective}, competitor, contest)) return std::nullopt;
  }
  return contest;
}

}  // namespace dlg
