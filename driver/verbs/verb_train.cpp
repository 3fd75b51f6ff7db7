// Owns `dlg train`: the story of a training, from the command line to its end.
#include <memory>
#include <utility>

#include "driver/cli/outputs.h"
#include "driver/engine/programs.h"
#include "driver/training/ending.h"
#include "driver/training/reporter.h"
#include "driver/training/resume.h"
#include "driver/training/warm_start.h"
#include "driver/training/weights.h"
#include "driver/verbs/verbs.h"
#include "ir/graph/rule_states.h"
#include "runtime/interrupt.h"

namespace dlg {
namespace {

constexpr Diag<> kNothingToTrain{DiagCode::NoTrainBlock, Severity::kError,
                                 "the program has no `train` block, so there is nothing to train"};

/// All that is read before anything is compiled.
struct TrainingInput {
  TrainingSetup setup;
  std::optional<ResumedRun> resumed;  // of a training that goes on

  const Checkpoint* checkpoint() const { return resumed ? &resumed->checkpoint : nullptr; }
};

bool check_training(Session& session, const CheckedProgram& program) {
  if (program.training) return true;
  session.diagnostics.report({session.file, 0, 0}, kNothingToTrain);
  return false;
}

/// Whether the run can go on with this program.
bool fits(Session& session, const CheckedProgram& program, const ResumedRun& resumed) {
  return keeps_inputs(session, outputs_of_training(resumed.run.folder), files_of_program(session, program)) &&
         is_same_program(session, program, resumed.run) && is_same_arithmetic(session, resumed.run);
}

/// Program, data and, where one goes on, the run that `--resume` names. nullopt after errors.
std::optional<TrainingInput> read_input(Session& session, const std::optional<std::string>& resume) {
  std::optional<ResumedRun> resumed = resume ? open_run(session, *resume) : std::nullopt;
  if (resume && !resumed) return std::nullopt;
  std::optional<CheckedProgram> program = load_program(session);
  if (!program || !check_training(session, *program)) return std::nullopt;
  if (resumed && !fits(session, *program, *resumed)) return std::nullopt;
  std::optional<TrainingSetup> setup =
      set_up_training(session, *std::move(program), resumed ? &resumed->run.record : nullptr);
  if (!setup) return std::nullopt;
  if (resumed && !is_same_data(session, setup->program, data_marks(setup->data), *resumed))
    return std::nullopt;
  // Compiled code alone trains; only the f64 interpreter reads them.
  setup->data.originals.clear();
  return TrainingInput{*std::move(setup), std::move(resumed)};
}

/// Gives the states the values that they start with: the initial ones, those of `--init`, or those of the run
/// that goes on. False after errors.
bool start_states(Session& session, const InitOptions& init, const TrainingInput& input, const Graph& graph,
                  TrainingStates& states) {
  if (input.resumed) {
    const std::optional<StateViews> saved =
        states_of(input.resumed->checkpoint, input.resumed->run.folder, graph, session.diagnostics);
    if (saved) states.set(*saved);
    return saved.has_value();
  }
  states.draw(input.setup.plan.seed);
  return warm_start(session, init, graph, states);
}

/// A new run, or the one that goes on. nullopt after errors.
std::optional<TrainingRun> begin_run(Session& session, const InitOptions& init, TrainingInput& input) {
  if (!input.resumed) return start_run(session, input.setup, init.file);
  return reopen_run(session, input.setup, std::move(input.resumed->run));
}

/// Of the last step; nullopt in the midst of several micro-batches.
std::optional<double> gradient_norm(const Machine& machine) {
  const auto batches = machine.state(rule_state_path(kMicroBatchesState));
  if (batches && batches->front() != 0) return std::nullopt;
  return machine.state(rule_state_path(kGradientNormState))->front();
}

Judge make_judge(const CheckedProgram& program, PartMeter& meter, const Machine& machine) {
  Measures measures;
  measures.value = [&](const WatchedValue& watched, const TrainProgress& at) {
    return meter.value(watched, at);
  };
  measures.gradient_norm = [&] { return gradient_norm(machine); };
  measures.weights = [&] { return views_of(weights_of(machine.graph(), machine.views())); };
  return {*program.training, std::move(measures)};
}

/// Where the training goes on, the judge does too. False after an error.
bool remind(Judge& judge, const RunFolder& folder, const Checkpoint& checkpoint, const Graph& graph,
            Diagnostics& diagnostics) {
  const std::optional<StateViews> best = best_of(checkpoint, folder, graph, diagnostics);
  if (best) judge.recall(checkpoint.judged, *best);
  return best.has_value();
}

/// Who looks at the steps: the terminal, the log, the saver, the rule's own measures, the stops. All outlive
/// it.
TrainObserver observer_of(const RunningTraining& training, Reporter& reporter, Saver& saver) {
  TrainObserver observer;
  observer.on_epoch = [&](const TrainProgress& at) { reporter.epoch(at); };
  observer.sees_epochs = !training.setup.data.parts.val.empty();
  observer.on_passed_epoch = [&](const TrainProgress& at) { reporter.passed_epoch(at); };
  observer.on_call = [&, is_first = true](const TrainProgress& at) mutable {
    // The first call is one step.
    if (std::exchange(is_first, false)) {
      training.session.clock.lap("step 1");
      training.session.tell_times();
    }
    reporter.moment(at);
  };
  observer.on_settled = [&](const TrainProgress& at) { saver.save_in_time(at); };
  const UpdateRule& rule = training.setup.rule;
  if (!rule.measured.empty()) {
    observer.measure = [&](const TrainProgress& at) {
      const auto value_of = [&](const WatchedValue& watched) { return training.meter.value(watched, at); };
      training.machine.set_states(measured_states(rule, value_of));
    };
  }
  if (training.judge.is_needed()) {
    observer.judge = [&](const TrainProgress& at) { return training.judge.look(at); };
    observer.judge_at = training.judge.at();
  }
  return observer;
}

/// All steps, from `checkpoint` on where the training goes on.
TrainResult make_steps(const RunningTraining& training, const Checkpoint* checkpoint, Saver& saver,
                       ProgressStyle style) {
  Reporter reporter(training, style, checkpoint != nullptr ? checkpoint->progress.epochs : 0);
  TrainPlan plan = training.setup.plan;
  if (checkpoint != nullptr) plan.start = checkpoint->progress;
  plan.stop_flag = interrupt_flag();
  const TrainResult result =
      train(training.machine.step_program(), plan, observer_of(training, reporter, saver));
  reporter.finish(result.progress);
  return result;
}

}  // namespace

int verb_train(Session& session, CommandLine& line) {
  TrainOptions options;
  ResultFormat format = ResultFormat::kText;
  if (!line.read(session.file_options, session.engine_options, options, format)) return line.exit_code();
  InterruptGuard guard;
  std::optional<TrainingInput> input = read_input(session, options.resume);
  if (!input) return session.report();
  const TrainingSetup& setup = input->setup;
  const std::unique_ptr<Machine> machine = make_trainer(session, setup, setup.rule);
  if (!machine) return session.report();
  TrainingStates states(*machine);
  if (!start_states(session, options.init, *input, machine->graph(), states)) return session.report();
  session.clock.lap("initial values");
  std::optional<TrainingRun> run = begin_run(session, options.init, *input);
  if (!run) return session.report();
  const Checkpoint* checkpoint = input->checkpoint();
  std::optional<TrainingLog> log =
      TrainingLog::open(run->folder, checkpoint, setup.program.name, session.diagnostics);
  if (!log) return session.report();
  log->compiles(session.compiles);
  PartMeter meter(session, setup, *machine);
  Judge judge = make_judge(setup.program, meter, *machine);
  if (checkpoint != nullptr &&
      !remind(judge, run->folder, *checkpoint, machine->graph(), session.diagnostics)) {
    return session.report();
  }
  if (input->resumed) input->resumed->checkpoint.forget_states();
  session.report();
  session.clock.lap("run folder");
  const RunningTraining training{session, setup, *machine, states, *run, *log, meter, judge};
  Saver saver(training, options.save_every);
  guard.ask_first();
  const bool is_silent = options.is_quiet || format == ResultFormat::kJson;
  const TrainResult result = make_steps(training, checkpoint, saver,
                                        is_silent ? ProgressStyle::kSilent : progress_style(session.streams));
  return end_training(training, result, saver, format);
}

}  // namespace dlg
