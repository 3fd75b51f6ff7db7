// Owns `dlg train`: a run, its progress and the files it writes.
#include <fmt/ostream.h>

#include <csignal>
#include <iostream>
#include <map>
#include <numeric>

#include "driver/cli/outputs.h"
#include "driver/engine/divergence.h"
#include "driver/engine/index_fault.h"
#include "driver/engine/programs.h"
#include "driver/training/judge.h"
#include "driver/training/resume.h"
#include "driver/training/saver.h"
#include "driver/training/warm_start.h"
#include "driver/training/weights.h"
#include "driver/verbs/verbs.h"
#include "ir/graph/rule_states.h"
#include "runtime/interrupt.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNothingToTrain{DiagCode::NoTrainBlock, Severity::kError,
                                 "the program has no `train` block, so there is nothing to train"};

/// The values of one part at the end of an epoch; several ask for them.
struct Measured {
  std::int64_t epoch = 0;
  std::vector<PartResult> results;
};

/// Weights of a training beside the last ones and what they reach.
struct KeptResult {
  std::string name;                   // `best`, `ema`
  std::optional<std::int64_t> epoch;  // at whose end they were
  std::vector<PartResult> results;
};

/// One training with everything it needs; made step by step, used once.
struct Trainer {
  Session& session;
  Program program;
  LoadedData data;
  std::optional<ResumedRun> resumed;  // of a training that goes on
  RunFolder folder;
  std::optional<RunLock> lock;
  RunRecord record;
  std::unique_ptr<Machine> machine;
  std::unique_ptr<Machine> evaluator;
  StateValues states;
  std::size_t logged_compiles = 0;
  std::int64_t calls = 0;
  std::map<std::string, Measured> measured = {};  // by part
  std::optional<Judge> judge = {};
  std::vector<KeptResult> kept = {};
};

std::string end_text(const Trainer& trainer, TrainEnd end) {
  if (end == TrainEnd::kJudged) return fmt::format("`{}` holds", trainer.judge->reason()->text);
  return std::string(dlg::end_text(end));
}

ProgressStyle style_of(const Session& session) {
  const bool is_process = &session.streams.err == &std::cerr;
  if (session.options.is_quiet || session.options.is_json || !is_process) return ProgressStyle::kSilent;
  return progress_style(stderr);
}

RunRecord start_record(const Session& session, const Program& program, const LoadedData& data) {
  RunRecord record;
  record.program = program.name;
  record.model = program.model_name;
  record.started = utc_time_text();
  record.seed = program.training->seed;
  record.versions = {{"llvm", llvm_version()}, {"target", std::string(level_name(session.options.target))}};
  record.settings = program.settings;
  if (!session.options.init.empty()) record.settings.emplace_back("--init", session.options.init);
  for (const Override& set : session.options.overrides) record.overrides.emplace_back(set.key, set.value);
  if (program.data) {
    record.data_name = program.data->name;
    record.data_file = program.data->file.value_or("");
  }
  record.header = data.header;
  record.fields = data.fields;
  return record;
}

/// Updates made: steps of the program but where several micro-batches make one.
std::int64_t updates(const Trainer& trainer, const TrainProgress& progress) {
  return progress.steps / trainer.program.training->accumulate;
}

/// The words of one epoch: on the terminal and in the log.
std::string progress_text(const Trainer& trainer, const TrainProgress& progress,
                          const std::vector<PartResult>& results) {
  const std::optional<std::int64_t> epochs = train_plan(trainer.program, trainer.data).stop.epochs;
  std::string text = fmt::format("epoch {}", progress.epochs);
  if (epochs) text += fmt::format("/{}", *epochs);
  text += fmt::format("  step {}", updates(trainer, progress));
  // In the first epoch there is no average yet, and before the first step no loss.
  if (progress.epochs > 0) {
    text += "  loss(avg) " + rounded_text(progress.loss, 6);
  } else if (progress.steps > 0) {
    text += "  loss " + rounded_text(progress.step_loss, 6);
  }
  for (const PartResult& result : results) {
    for (const auto& [name, value] : result.values) {
      text += fmt::format("  {} {} {}", result.part, name, metric_text(trainer.program, name, value));
    }
  }
  return text + fmt::format("  {:.1f} s", progress.seconds);
}

/// Evaluates parts of the data at these weights. The program for it is compiled when it is first needed, so
/// that the first step does not wait for it; nothing if there is no memory for it, which is reported. Parts
/// behind the moment when the flag was set are left out.
std::optional<std::vector<PartResult>> evaluate_at(Trainer& trainer, const StateValues& states,
                                                   const std::vector<Part>& parts,
                                                   const volatile std::int32_t* stop_flag) {
  if (!trainer.evaluator) trainer.evaluator = make_evaluator(trainer.session, trainer.program, trainer.data);
  if (!trainer.evaluator) return std::nullopt;
  trainer.evaluator->set_states(states);
  std::vector<PartResult> results = evaluate_parts(*trainer.evaluator, parts, stop_flag);
  if (trainer.session.diagnostics.has_errors()) return std::nullopt;
  return results;
}

/// Evaluates a part at the current weights, those of the end of `epoch`; nothing if it has no rows.
const std::vector<PartResult>& measure(Trainer& trainer, const std::string& part, std::int64_t epoch) {
  Measured& measured = trainer.measured[part];
  if (measured.epoch == epoch) return measured.results;
  measured = {epoch, {}};
  for (const Part& known : parts_of(trainer.data)) {
    if (known.name != part) continue;
    // The training depends on it, so a signal does not cut it short.
    measured.results =
        evaluate_at(trainer, trainer.machine->states(), {known}, nullptr).value_or(measured.results);
  }
  return measured.results;
}

/// What a stop looks at; NaN if it cannot be measured, with which no comparison holds.
double watched_value(Trainer& trainer, const WatchedValue& watched, const TrainProgress& at) {
  if (watched.part.empty()) return at.loss;
  return part_value(measure(trainer, watched.part, at.epochs), watched);
}

/// Tells of epochs: the log of every one, a terminal at most ten times a second and of the last.
class Reporter {
 public:
  Reporter(Trainer& trainer, LogFile& log)
      : trainer_(trainer),
        log_(log),
        progress_(stderr, style_of(trainer.session)),
        logged_(trainer.resumed ? trainer.resumed->checkpoint.progress.epochs : 0) {}

  /// At its end.
  void epoch(const TrainProgress& at) {
    const bool is_logged = at.epochs == next_told_epoch(at.epochs - 1);
    is_shown_ = limit_.pass();
    if (!is_logged && !is_shown_) return;
    const std::vector<PartResult>& results = measure(trainer_, "val", at.epochs);
    if (is_logged) log(at, results);
    if (is_shown_) progress_.epoch(progress_text(trainer_, at, results));
  }

  /// Gone over by a call of compiled code.
  void passed_epoch(const TrainProgress& at) { log(at, {}); }

  void moment(const TrainProgress& at) {
    progress_.moment(progress_text(trainer_, at, {}));
    log_.tick();
  }

  void finish(const TrainProgress& at) {
    if (at.epochs > 0 && (!is_shown_ || at.epochs > logged_)) {
      const std::vector<PartResult>& results = measure(trainer_, "val", at.epochs);
      if (!is_shown_) progress_.epoch(progress_text(trainer_, at, results));
      if (at.epochs > logged_ && at.epoch_step == 0) log(at, results);
    }
    progress_.finish();
  }

 private:
  void log(const TrainProgress& at, const std::vector<PartResult>& results) {
    logged_ = at.epochs;
    Json values = Json::object();
    add_results(values, results);
    log_.epoch({at.epochs, updates(trainer_, at), at.loss, at.seconds}, values);
  }

  Trainer& trainer_;
  LogFile& log_;
  Progress progress_;
  RateLimit limit_;
  bool is_shown_ = true;
  std::int64_t logged_;  // the last epoch that is in the log
};

/// Of the last step; nullopt in the midst of several micro-batches.
std::optional<double> gradient_norm(const Machine& machine) {
  const auto batches = machine.state(rule_state_path(kMicroBatchesState));
  if (batches && batches->front() != 0) return std::nullopt;
  return machine.state(rule_state_path(kGradientNormState))->front();
}

/// Where the training goes on, the judge does too. False after an error.
bool appoint_judge(Trainer& trainer) {
  Measures measures;
  measures.value = [&](const WatchedValue& watched, const TrainProgress& at) {
    return watched_value(trainer, watched, at);
  };
  measures.gradient_norm = [&] { return gradient_norm(*trainer.machine); };
  measures.states = [&] { return trainer.machine->states(); };
  trainer.judge.emplace(*trainer.program.training, std::move(measures));
  if (!trainer.resumed) return true;
  const Checkpoint& checkpoint = trainer.resumed->checkpoint;
  std::optional<StateValues> best =
      best_of(checkpoint, trainer.folder, trainer.machine->graph(), trainer.session.diagnostics);
  if (!best) return false;
  trainer.judge->recall(checkpoint.judged, *std::move(best));
  return true;
}

TrainResult run_loop(Trainer& trainer, LogFile& log, Saver& saver) {
  Reporter reporter(trainer, log);
  TrainObserver observer;
  observer.on_epoch = [&](const TrainProgress& at) { reporter.epoch(at); };
  observer.on_passed_epoch = [&](const TrainProgress& at) { reporter.passed_epoch(at); };
  observer.on_call = [&](const TrainProgress& at) {
    // The first call is one step.
    if (trainer.calls++ == 0) {
      trainer.session.clock.lap("step 1");
      trainer.session.tell_times();
    }
    reporter.moment(at);
  };
  observer.on_settled = [&](const TrainProgress& at) { saver.save_in_time(at); };
  const UpdateRule& rule = trainer.program.training->rule;
  if (!rule.measured.empty()) {
    observer.measure = [&](const TrainProgress& at) {
      const auto value_of = [&](const WatchedValue& watched) { return watched_value(trainer, watched, at); };
      trainer.machine->set_states(measured_states(rule, value_of));
    };
  }
  if (trainer.judge->is_needed()) {
    observer.judge = [&](const TrainProgress& at) { return trainer.judge->look(at); };
    observer.judge_at = trainer.judge->at();
  }
  TrainPlan plan = train_plan(trainer.program, trainer.data);
  if (trainer.resumed) plan.start = trainer.resumed->checkpoint.progress;
  plan.stop_flag = interrupt_flag();
  const TrainResult result = train(trainer.machine->step_program(), plan, observer);
  reporter.finish(result.progress);
  return result;
}

Json result_json(const Trainer& trainer, const TrainResult& result, const std::vector<PartResult>& results) {
  Json json = Json::object();
  json.set("run", trainer.folder.path).set("end", end_text(trainer, result.end));
  json.set("epochs", result.progress.epochs).set("steps", updates(trainer, result.progress));
  json.set("seconds", result.progress.seconds);
  add_results(json, results);
  for (const KeptResult& kept : trainer.kept) {
    Json values = Json::object();
    if (kept.epoch) values.set("epoch", *kept.epoch);
    add_results(values, kept.results);
    json.set(kept.name, std::move(values));
  }
  return json;
}

/// "best (epoch 9): val loss 0.1, test accuracy 97.22 %", a line for each kind of weights.
std::string kept_text(const Trainer& trainer) {
  std::string text;
  for (const KeptResult& kept : trainer.kept) {
    std::vector<std::string> values;
    for (const PartResult& part : kept.results) {
      for (const auto& [name, value] : part.values) {
        const std::string label = part.part.empty() ? name : part.part + " " + name;
        values.push_back(fmt::format("{} {}", label, metric_text(trainer.program, name, value)));
      }
    }
    const std::string epoch = kept.epoch ? fmt::format(" (epoch {})", *kept.epoch) : "";
    text += fmt::format("{}{}: {}\n", kept.name, epoch, join_text(values, ", "));
  }
  return text;
}

/// The files of weights beside the last ones.
std::string kept_files(const Trainer& trainer) {
  std::string files;
  if (trainer.judge->best()) files += " " + weights_file(WeightsChoice::kBest);
  if (trainer.program.training->has_average) files += " " + weights_file(WeightsChoice::kAverage);
  return files;
}

void print_result(const Trainer& trainer, const TrainResult& result, const std::vector<PartResult>& results) {
  std::ostream& out = trainer.session.streams.out;
  if (trainer.session.options.is_json) {
    out << json_text(result_json(trainer, result, results)) << '\n';
    return;
  }
  fmt::print(out, "stopped after {}, {}: {}\n", counted(result.progress.epochs, "epoch"),
             counted(updates(trainer, result.progress), "step"), end_text(trainer, result.end));
  out << results_text(trainer.program, results) << kept_text(trainer);
  fmt::print(out, "wrote {}: weights.safetensors optimizer.safetensors{} run.json log.jsonl model.dlg\n",
             trainer.folder.path, kept_files(trainer));
  if (result.end != TrainEnd::kInterrupted) return;
  fmt::print(out, "to go on: dlg train {} --resume {}\n", trainer.session.options.file,
             trainer.folder.number);
}

/// One event for each compilation that the log does not have yet.
void log_compiles(Trainer& trainer, LogFile& log) {
  const std::vector<CompileRecord>& all = trainer.session.compiles;
  for (; trainer.logged_compiles < all.size(); ++trainer.logged_compiles) {
    const CompileRecord& compile = all[trainer.logged_compiles];
    Json line = Json::object();
    line.set("event", "compile").set("what", compile.what).set("batch", compile.batch);
    line.set("kernels", compile.kernels).set("seconds", compile.seconds);
    line.set("cached", compile.code.is_cached);
    log.event(line);
  }
}

/// What each worker did of the parts of steps that are divided.
void log_workers(const Trainer& trainer, LogFile& log) {
  const Team* team = trainer.session.team.get();
  if (team == nullptr) return;
  const std::vector<double> seconds = team->busy_seconds();
  const double all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    Json line = Json::object();
    line.set("event", "worker").set("worker", static_cast<std::int64_t>(i)).set("seconds", seconds[i]);
    line.set("share", all > 0 ? seconds[i] / all : 0.0);
    log.event(line);
  }
}

/// Saves and evaluates one kind of weights beside the last ones. False after errors.
bool keep(Trainer& trainer, KeptResult kept, WeightsChoice choice, const StateValues& states) {
  const std::string path = trainer.folder.file(weights_file(choice));
  if (!save_weights(path, trainer.machine->graph(), states, trainer.session.diagnostics)) return false;
  std::optional<std::vector<PartResult>> results =
      evaluate_at(trainer, states, parts_of(trainer.data), interrupt_flag());
  if (!results) return false;
  kept.results = *std::move(results);
  trainer.kept.push_back(std::move(kept));
  return true;
}

/// The best weights and the averages, where they are kept.
bool keep_others(Trainer& trainer) {
  if (const std::optional<Best>& best = trainer.judge->best()) {
    const StateValues states = trainer.judge->best_states(trainer.states);
    if (!keep(trainer, {"best", best->epoch, {}}, WeightsChoice::kBest, states)) return false;
  }
  if (!trainer.program.training->has_average) return true;
  return keep(trainer, {"ema", std::nullopt, {}}, WeightsChoice::kAverage,
              averaged(trainer.machine->graph(), trainer.states));
}

void record_results(RunRecord& record, const std::string& prefix, const std::vector<PartResult>& results) {
  for (const PartResult& part : results) {
    for (const auto& [name, value] : part.values) {
      const std::string_view blank = part.part.empty() ? "" : " ";
      record.results.emplace_back(fmt::format("{}{}{}{}", prefix, part.part, blank, name), value);
    }
  }
}

/// The results on all parts at the end; none once a signal has come. nullopt after an error.
std::optional<std::vector<PartResult>> final_results(Trainer& trainer) {
  if (interrupt_signal() != 0) return std::vector<PartResult>();
  return evaluate_at(trainer, trainer.states, parts_of(trainer.data), interrupt_flag());
}

void complete_record(Trainer& trainer, const TrainResult& result, const std::vector<PartResult>& results) {
  trainer.record.ended = end_text(trainer, result.end);
  trainer.record.results = {{"epochs", static_cast<double>(result.progress.epochs)},
                            {"steps", static_cast<double>(updates(trainer, result.progress))}};
  record_results(trainer.record, "", results);
  for (const KeptResult& kept : trainer.kept) {
    if (kept.epoch) {
      trainer.record.results.emplace_back(kept.name + " epoch", static_cast<double>(*kept.epoch));
    }
    record_results(trainer.record, kept.name + " ", kept.results);
  }
}

/// Says which operation or index it was; the last good weights are saved, and so are those that are kept
/// beside them. The exit code.
int finish_failed(Trainer& trainer, const TrainResult& result, LogFile& log) {
  Session& session = trainer.session;
  const bool is_fault = result.end == TrainEnd::kIndexOutside;
  const auto fault =
      is_fault ? find_fault(session, *trainer.machine, trainer.data, result.batch_rows) : std::nullopt;
  const auto culprit =
      is_fault ? std::nullopt : find_culprit(session, trainer.program, trainer.data, trainer.states, result);
  if (!keep_others(trainer)) return session.report();
  Report report = is_fault ? report_fault(session, fault)
                           : report_divergence(session, trainer.program, result, culprit, trainer.folder);
  if (is_fault) {
    report.note(fmt::format("step {} was not made; the weights before it are saved in `{}`",
                            result.diverged_step, trainer.folder.path));
  }
  if (const std::optional<Best>& best = trainer.judge->best()) {
    report.note(fmt::format("the best weights, those of epoch {}, are in `{}`", best->epoch,
                            trainer.folder.file(weights_file(WeightsChoice::kBest))));
  }
  complete_record(trainer, result, {});
  Json line = result_json(trainer, result, {});
  log.event(line.set("event", "end"));
  if (log.finish(session.diagnostics)) {
    write_run_record(trainer.folder, trainer.record, session.diagnostics);
  }
  return session.report();
}

/// Saves, evaluates all parts, prints. The exit code.
int finish(Trainer& trainer, const TrainResult& result, LogFile& log, Saver& saver) {
  Diagnostics& diagnostics = trainer.session.diagnostics;
  if (!saver.save(result.progress, diagnostics)) return trainer.session.report();
  if (has_failed(result.end)) return finish_failed(trainer, result, log);
  const auto results = final_results(trainer);
  if (!results || !keep_others(trainer)) return trainer.session.report();
  complete_record(trainer, result, *results);
  log_compiles(trainer, log);
  log_workers(trainer, log);
  Json line = result_json(trainer, result, *results);
  line.set("event", "end");
  log.event(line);
  if (!log.finish(diagnostics) || !write_run_record(trainer.folder, trainer.record, diagnostics)) {
    return trainer.session.report();
  }
  print_result(trainer, result, *results);
  const int signal = interrupt_signal();
  return signal != 0 ? 128 + signal : kExitOk;
}

bool check_training(Session& session, const Program& program) {
  if (program.training) return true;
  session.diagnostics.report({session.file, 0, 0}, kNothingToTrain);
  return false;
}

/// The values that the states start with: the initial ones, those of `--init`, or those of the run that goes
/// on.
std::optional<StateValues> starting_states(Trainer& trainer) {
  Session& session = trainer.session;
  const Graph& graph = trainer.machine->graph();
  if (trainer.resumed) {
    return states_of(trainer.resumed->checkpoint, trainer.resumed->folder, graph, session.diagnostics);
  }
  StateValues states = initial_states(graph, trainer.program.training->seed);
  if (!warm_start(session, graph, states)) return std::nullopt;
  return states;
}

/// Claims a new folder for the run and writes into it what is known before the training.
bool start_run(Trainer& trainer) {
  Session& session = trainer.session;
  std::optional<RunFolder> folder =
      create_run_folder(std::string(kRunsFolder), trainer.program.name, session.diagnostics);
  if (!folder) return false;
  trainer.folder = std::move(*folder);
  std::optional<RunLock> lock = RunLock::take(trainer.folder, session.diagnostics);
  if (!lock) return false;
  trainer.lock.emplace(std::move(*lock));
  trainer.record = start_record(session, trainer.program, trainer.data);
  return copy_program(session, trainer.folder) &&
         write_run_record(trainer.folder, trainer.record, session.diagnostics);
}

/// Takes the folder and the record of the run that goes on; what was set for its end is what is set now.
bool reopen_run(Trainer& trainer) {
  const ResumedRun& run = *trainer.resumed;
  trainer.folder = run.folder;
  trainer.record = run.record;
  const RunRecord now = start_record(trainer.session, trainer.program, trainer.data);
  trainer.record.settings = now.settings;
  trainer.record.overrides = now.overrides;
  trainer.record.ended.clear();
  return write_run_record(trainer.folder, trainer.record, trainer.session.diagnostics);
}

bool prepare(Trainer& trainer) {
  Session& session = trainer.session;
  trainer.machine = make_trainer(session, trainer.program, trainer.data);
  if (!trainer.machine) return false;
  std::optional<StateValues> states = starting_states(trainer);
  if (!states) return false;
  trainer.states = std::move(*states);
  trainer.machine->set_states(trainer.states);
  session.clock.lap("initial values");
  return trainer.resumed ? reopen_run(trainer) : start_run(trainer);
}

std::optional<LogFile> open_log(const Trainer& trainer) {
  const FileRequest request{trainer.folder.log(), "", {}};
  Diagnostics& diagnostics = trainer.session.diagnostics;
  std::optional<LogFile> log =
      trainer.resumed ? LogFile::append(request, trainer.resumed->checkpoint.progress.epochs, diagnostics)
                      : LogFile::create(request, diagnostics);
  if (!log) return std::nullopt;
  Json start = Json::object();
  start.set("event", trainer.resumed ? "resume" : "start").set("program", trainer.program.name);
  if (trainer.resumed) start.set("step", trainer.resumed->checkpoint.progress.steps);
  log->event(start);
  return log;
}

/// Program, data and, where one goes on, the run: all that is read before anything is compiled.
std::optional<Trainer> read_all(Session& session) {
  const bool is_resumed = session.options.resume.has_value();
  std::optional<ResumedRun> resumed = is_resumed ? open_run(session) : std::nullopt;
  if (is_resumed && !resumed) return std::nullopt;
  std::optional<Program> program = load_program(session);
  if (!program || !check_training(session, *program)) return std::nullopt;
  if (resumed &&
      !keeps_inputs(session, outputs_of_training(resumed->folder), files_of_program(session, *program)))
    return std::nullopt;
  if (resumed && !is_same_program(session, *program, *resumed)) return std::nullopt;
  if (resumed && !is_same_arithmetic(session, *resumed)) return std::nullopt;
  std::optional<LoadedData> data =
      load_training_data(session, *program, resumed ? &resumed->record : nullptr);
  if (!data) return std::nullopt;
  if (resumed && !is_same_data(session, *program, data_marks(*data), *resumed)) return std::nullopt;
  return Trainer{.session = session,
                 .program = std::move(*program),
                 .data = std::move(*data),
                 .resumed = std::move(resumed),
                 .folder = {},
                 .lock = {},
                 .record = {},
                 .machine = {},
                 .evaluator = {},
                 .states = {}};
}

}  // namespace

int verb_train(Session& session) {
  InterruptGuard guard;
  std::optional<Trainer> trainer = read_all(session);
  if (!trainer || !prepare(*trainer)) return session.report();
  std::optional<LogFile> log = open_log(*trainer);
  if (!log) return session.report();
  log_compiles(*trainer, *log);
  if (!appoint_judge(*trainer)) return session.report();
  session.report();
  session.clock.lap("run folder");
  Saver saver({session, trainer->folder, trainer->record, trainer->data, *trainer->machine, trainer->states,
               *trainer->judge},
              *log);
  guard.ask_first();
  const TrainResult result = run_loop(*trainer, *log, saver);
  return finish(*trainer, result, *log, saver);
}

}  // namespace dlg
