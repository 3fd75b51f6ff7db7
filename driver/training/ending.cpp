#include "driver/training/ending.h"

#include <fmt/ostream.h>

#include "driver/engine/divergence.h"
#include "driver/engine/step_fault.h"
#include "driver/training/outcome.h"
#include "driver/training/reporter.h"
#include "driver/training/weights.h"
#include "runtime/interrupt.h"

namespace dlg {
namespace {

/// What is known before anything is evaluated.
Outcome outcome_of(const RunningTraining& training, const TrainResult& result) {
  const std::string end = result.end == TrainEnd::kJudged
                              ? fmt::format("`{}` holds", training.judge.reason()->text)
                              : std::string(end_text(result.end));
  return {end, result.progress, updates_made(training.setup.program, result.progress)};
}

/// Saves and evaluates one kind of weights beside the last ones. False after errors.
bool keep(const RunningTraining& training, KeptResult kept, const StateViews& states, Outcome& outcome) {
  const std::string path = training.run.folder.file(weights_file(kept.choice));
  if (!save_weights(path, training.machine.graph(), states, training.session.diagnostics)) return false;
  std::optional<std::vector<PartResult>> results =
      training.meter.evaluate_at(states, parts_of(training.setup.data), interrupt_flag());
  if (!results) return false;
  kept.results = *std::move(results);
  outcome.kept.push_back(std::move(kept));
  return true;
}

/// The best weights and the averages, where they are kept.
bool keep_others(const RunningTraining& training, Outcome& outcome) {
  if (const std::optional<Best>& best = training.judge.best()) {
    const StateViews states = training.judge.best_states(training.states.views());
    if (!keep(training, {WeightsChoice::kBest, best->epoch}, states, outcome)) return false;
  }
  if (!training.setup.program.training->has_average) return true;
  const StateViews states = averaged(training.machine.graph(), training.states.views());
  return keep(training, {WeightsChoice::kAverage}, states, outcome);
}

/// The results on all parts at the end; none once a signal has come. nullopt after an error.
std::optional<std::vector<PartResult>> final_results(const RunningTraining& training) {
  if (interrupt_signal() != 0) return std::vector<PartResult>();
  return training.meter.evaluate_at(training.states.views(), parts_of(training.setup.data), interrupt_flag());
}

/// Into the log and into the record. False after errors.
bool record(const RunningTraining& training, const Outcome& outcome) {
  Diagnostics& diagnostics = training.session.diagnostics;
  record_outcome(training.run.record, outcome);
  training.log.end(outcome_json(training.run.folder, outcome));
  return training.log.finish(diagnostics) &&
         write_run_record(training.run.folder, training.run.record, diagnostics);
}

void print_outcome(const RunningTraining& training, const TrainResult& result, const Outcome& outcome) {
  std::ostream& out = training.session.streams.out;
  const RunFolder& folder = training.run.folder;
  std::string kept_files;
  for (const KeptResult& kept : outcome.kept) kept_files += " " + weights_file(kept.choice);
  out << outcome_text(training.setup.program, outcome);
  fmt::print(out, "wrote {}: weights.safetensors optimizer.safetensors{} run.json log.jsonl model.dlg\n",
             folder.path, kept_files);
  if (result.end != TrainEnd::kInterrupted) return;
  fmt::print(out, "to go on: dlg train {} --resume {}\n", training.session.file_options.file, folder.number);
}

/// Why a step could not be made, as far as that was found.
struct Cause {
  std::optional<StepFault> fault;
  std::optional<Culprit> culprit;
};

Cause cause_of(const RunningTraining& training, const TrainResult& result) {
  Session& session = training.session;
  if (is_fault(result.end)) {
    return {find_fault(session, training.machine, training.setup.data, result.batch_rows), std::nullopt};
  }
  return {std::nullopt, find_culprit(session, training.setup, training.states.views(), result)};
}

void report_cause(const RunningTraining& training, const TrainResult& result, const Cause& cause) {
  Session& session = training.session;
  const RunFolder& folder = training.run.folder;
  const bool has_fault = is_fault(result.end);
  Report report = has_fault
                      ? report_fault(session, cause.fault)
                      : report_divergence(session, training.setup.program, result, cause.culprit, folder);
  if (has_fault) {
    report.note(fmt::format("step {} was not made; the weights before it are saved in `{}`",
                            result.diverged_step, folder.path));
  }
  if (const std::optional<Best>& best = training.judge.best()) {
    report.note(fmt::format("the best weights, those of epoch {}, are in `{}`", best->epoch,
                            folder.file(weights_file(WeightsChoice::kBest))));
  }
}

/// Says which operation, index or weight it was; the last good weights are saved, and so are those that are
/// kept beside them.
int end_failed(const RunningTraining& training, const TrainResult& result) {
  const Cause cause = cause_of(training, result);
  Outcome outcome = outcome_of(training, result);
  if (!keep_others(training, outcome)) return training.session.report();
  report_cause(training, result, cause);
  record(training, outcome);
  return training.session.report();
}

}  // namespace

int end_training(const RunningTraining& training, const TrainResult& result, Saver& saver,
                 ResultFormat format) {
  Session& session = training.session;
  if (!saver.save(result.progress, session.diagnostics)) return session.report();
  if (has_failed(result.end)) return end_failed(training, result);
  Outcome outcome = outcome_of(training, result);
  std::optional<std::vector<PartResult>> results = final_results(training);
  if (!results || !keep_others(training, outcome)) return session.report();
  outcome.results = *std::move(results);
  training.log.compiles(session.compiles);
  training.log.workers(session.team.get());
  if (!record(training, outcome)) return session.report();
  if (format == ResultFormat::kJson) {
    session.streams.out << json_text(outcome_json(training.run.folder, outcome)) << '\n';
  } else {
    print_outcome(training, result, outcome);
  }
  const int signal = interrupt_signal();
  return signal != 0 ? 128 + signal : kExitOk;
}

}  // namespace dlg
