// Owns `dlg train`: a run, its progress and the files it writes.
#include <fmt/ostream.h>

#include <csignal>
#include <iostream>
#include <limits>
#include <map>
#include <numeric>

#include "driver/judge.h"
#include "driver/programs.h"
#include "driver/verbs.h"
#include "driver/warm_start.h"
#include "driver/weights.h"
#include "ir/graph/rule_states.h"
#include "runtime/interrupt.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNothingToTrain{DiagCode::NoTrainBlock, Severity::kError,
                                 "the program has no `train` block, so there is nothing to train"};

constexpr Diag<std::string> kNoPart{DiagCode::BadStop, Severity::kError,
                                    "`{}` is looked at, and the data has no such part"};

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
  RunFolder folder;
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
  switch (end) {
    case TrainEnd::kEpochs:
      return "the limit of epochs";
    case TrainEnd::kSteps:
      return "the limit of steps";
    case TrainEnd::kSeconds:
      return "the limit of time";
    case TrainEnd::kChange:
      return "the loss no longer changed";
    case TrainEnd::kLossBelow:
      return "the loss reached its target";
    case TrainEnd::kJudged:
      return fmt::format("`{}` holds", trainer.judge->reason()->text);
    case TrainEnd::kInterrupted:
      return "interrupted";
    case TrainEnd::kDiverged:
      break;
  }
  return "the loss is not finite";
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
  record.versions = {{"llvm", llvm_version()}};
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
  text += fmt::format("  step {}  loss(avg) {:.6g}", updates(trainer, progress), progress.loss);
  for (const PartResult& result : results) {
    for (const auto& [name, value] : result.values) {
      text += fmt::format("  {} {} {}", result.part, name, metric_text(trainer.program, name, value));
    }
  }
  return text + fmt::format("  {:.1f} s", progress.seconds);
}

Json log_line(const Trainer& trainer, const TrainProgress& progress, const std::vector<PartResult>& results) {
  Json line = Json::object();
  line.set("event", "epoch").set("epoch", progress.epochs).set("step", updates(trainer, progress));
  line.set("loss", progress.loss).set("seconds", progress.seconds);
  add_results(line, results);
  return line;
}

/// Evaluates parts of the data at these weights. The program for it is compiled when it is first needed, so
/// that the first step does not wait for it; nothing if there is no memory for it, which is reported.
std::optional<std::vector<PartResult>> evaluate_at(Trainer& trainer, const StateValues& states,
                                                   const std::vector<Part>& parts) {
  if (!trainer.evaluator) trainer.evaluator = make_evaluator(trainer.session, trainer.program, trainer.data);
  if (!trainer.evaluator) return std::nullopt;
  trainer.evaluator->set_states(states);
  return evaluate_parts(*trainer.evaluator, parts);
}

/// Evaluates a part at the current weights, those of the end of `epoch`; nothing if it has no rows.
const std::vector<PartResult>& measure(Trainer& trainer, const std::string& part, std::int64_t epoch) {
  Measured& measured = trainer.measured[part];
  if (measured.epoch == epoch) return measured.results;
  measured = {epoch, {}};
  for (const Part& known : parts_of(trainer.data)) {
    if (known.name != part) continue;
    measured.results = evaluate_at(trainer, trainer.machine->states(), {known}).value_or(measured.results);
  }
  return measured.results;
}

/// What a stop looks at; NaN if it cannot be measured, with which no comparison holds.
double watched_value(Trainer& trainer, const WatchedValue& watched, const TrainProgress& at) {
  if (watched.part.empty()) return at.loss;
  for (const PartResult& result : measure(trainer, watched.part, at.epochs)) {
    for (const auto& [name, value] : result.values) {
      if (name == watched.name) return value;
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// Tells of epochs, at most ten times a second; what was left out last is told at the end.
class Reporter {
 public:
  Reporter(Trainer& trainer, LogFile& log)
      : trainer_(trainer), log_(log), progress_(stderr, style_of(trainer.session)) {}

  void epoch(const TrainProgress& at) {
    is_told_ = limit_.pass();
    if (is_told_) tell(at);
  }

  void moment(const TrainProgress& at) { progress_.moment(progress_text(trainer_, at, {})); }

  void finish(const TrainProgress& at) {
    if (!is_told_ && at.epochs > 0) tell(at);
    progress_.finish();
  }

 private:
  void tell(const TrainProgress& at) {
    const std::vector<PartResult>& results = measure(trainer_, "val", at.epochs);
    progress_.epoch(progress_text(trainer_, at, results));
    log_.record(log_line(trainer_, at, results));
  }

  Trainer& trainer_;
  LogFile& log_;
  Progress progress_;
  RateLimit limit_;
  bool is_told_ = true;
};

/// Of the last step; nullopt in the midst of several micro-batches.
std::optional<double> gradient_norm(const Machine& machine) {
  const auto batches = machine.state(rule_state_path(kMicroBatchesState));
  if (batches && batches->front() != 0) return std::nullopt;
  return machine.state(rule_state_path(kGradientNormState))->front();
}

void appoint_judge(Trainer& trainer) {
  Measures measures;
  measures.value = [&](const WatchedValue& watched, const TrainProgress& at) {
    return watched_value(trainer, watched, at);
  };
  measures.gradient_norm = [&] { return gradient_norm(*trainer.machine); };
  measures.states = [&] { return trainer.machine->states(); };
  trainer.judge.emplace(*trainer.program.training, std::move(measures));
}

TrainResult run_loop(Trainer& trainer, LogFile& log) {
  appoint_judge(trainer);
  Reporter reporter(trainer, log);
  TrainObserver observer;
  observer.on_epoch = [&](const TrainProgress& at) { reporter.epoch(at); };
  observer.on_call = [&](const TrainProgress& at) {
    // The first call is one step.
    if (trainer.calls++ == 0) {
      trainer.session.clock.lap("step 1");
      trainer.session.tell_times();
    }
    reporter.moment(at);
  };
  if (trainer.judge->is_needed()) {
    observer.judge = [&](const TrainProgress& at) { return trainer.judge->look(at); };
    observer.judge_at = trainer.judge->at();
  }
  TrainPlan plan = train_plan(trainer.program, trainer.data);
  plan.stop_flag = interrupt_flag();
  const TrainResult result = train(trainer.machine->step_program(), plan, observer);
  reporter.finish(result.progress);
  return result;
}

int report_divergence(Trainer& trainer, const TrainResult& result) {
  fmt::print(trainer.session.streams.err,
             "dlg: the loss became {} in step {}; no update was made with it and no weights were saved\n"
             "  a smaller learning rate is the usual cure: --set optimizer.lr=...\n",
             number_text(result.final_loss), result.diverged_step);
  return kExitDiverged;
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
  std::optional<std::vector<PartResult>> results = evaluate_at(trainer, states, parts_of(trainer.data));
  if (!results) return false;
  kept.results = *std::move(results);
  trainer.kept.push_back(std::move(kept));
  return true;
}

/// The best weights and the averages, where they are kept.
bool keep_others(Trainer& trainer) {
  if (const std::optional<Best>& best = trainer.judge->best()) {
    StateValues states = trainer.states;
    for (const auto& [path, values] : best->states) states[path] = values;
    if (!keep(trainer, {"best", best->epoch, {}}, WeightsChoice::kBest, states)) return false;
  }
  if (!trainer.program.training->has_average) return true;
  return keep(trainer, {"ema", std::nullopt, {}}, WeightsChoice::kAverage,
              averaged(trainer.machine->graph(), trainer.states));
}

void record_results(RunRecord& record, const std::string& prefix, const std::vector<PartResult>& results) {
  for (const PartResult& part : results) {
    for (const auto& [name, value] : part.values) {
      record.results.emplace_back(prefix + (part.part.empty() ? name : part.part + " " + name), value);
    }
  }
}

/// Saves, evaluates all parts, prints. The exit code.
int finish(Trainer& trainer, const TrainResult& result, LogFile& log) {
  if (result.end == TrainEnd::kDiverged) return report_divergence(trainer, result);
  for (auto& [path, values] : trainer.machine->states()) trainer.states[path] = values;
  Diagnostics& diagnostics = trainer.session.diagnostics;
  if (!save_states(trainer.folder, trainer.machine->graph(), trainer.states, diagnostics)) {
    return trainer.session.report();
  }
  const auto evaluated = evaluate_at(trainer, trainer.states, parts_of(trainer.data));
  if (!evaluated || !keep_others(trainer)) return trainer.session.report();
  const std::vector<PartResult>& results = *evaluated;
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
  log_compiles(trainer, log);
  log_workers(trainer, log);
  Json line = result_json(trainer, result, results);
  line.set("event", "end");
  log.event(line);
  if (!log.finish() || !write_run_record(trainer.folder, trainer.record, diagnostics)) {
    return trainer.session.report();
  }
  print_result(trainer, result, results);
  const int signal = interrupt_signal();
  return result.end == TrainEnd::kInterrupted && signal != 0 ? 128 + signal : kExitOk;
}

bool check_training(Session& session, const Program& program) {
  if (program.training) return true;
  session.diagnostics.report({session.file, 0, 0}, kNothingToTrain);
  return false;
}

/// Whether every part that a stop looks at has rows.
bool check_watched_parts(const Trainer& trainer) {
  bool is_good = true;
  for (const StopCondition& stop : trainer.program.training->stop) {
    const std::string& part = stop.watched.part;
    if (part != "val" || !trainer.data.parts.val.empty()) continue;
    trainer.session.diagnostics.report(stop.range, kNoPart, part + "." + stop.watched.name)
        .note("`split = shares(train = 0.7, val = 0.15, test = 0.15)` in `data` makes one");
    is_good = false;
  }
  return is_good;
}

bool prepare(Trainer& trainer) {
  Session& session = trainer.session;
  if (!check_watched_parts(trainer)) return false;
  trainer.machine = make_trainer(session, trainer.program, trainer.data);
  if (!trainer.machine) return false;
  trainer.states = initial_states(trainer.machine->graph(), trainer.program.training->seed);
  if (!warm_start(session, trainer.machine->graph(), trainer.states)) return false;
  trainer.machine->set_states(trainer.states);
  session.clock.lap("initial values");
  std::optional<RunFolder> folder =
      create_run_folder(std::string(kRunsFolder), trainer.program.name, session.diagnostics);
  if (!folder) return false;
  trainer.folder = std::move(*folder);
  trainer.record = start_record(session, trainer.program, trainer.data);
  return copy_program(session, trainer.folder) &&
         write_run_record(trainer.folder, trainer.record, session.diagnostics);
}

}  // namespace

int verb_train(Session& session) {
  std::optional<Program> program = load_program(session);
  if (!program || !check_training(session, *program)) return session.report();
  std::optional<LoadedData> data = load_data(session, *program);
  if (!data) return session.report();
  Trainer trainer{session, std::move(*program), std::move(*data), {}, {}, {}, {}, {}, 0, 0};
  const InterruptGuard guard;
  if (!prepare(trainer)) return session.report();
  std::optional<LogFile> log = LogFile::create({trainer.folder.log(), "", {}}, session.diagnostics);
  if (!log) return session.report();
  Json start = Json::object();
  start.set("event", "start").set("program", trainer.program.name);
  log->event(start);
  log_compiles(trainer, *log);
  session.report();
  session.clock.lap("run folder");
  const TrainResult result = run_loop(trainer, *log);
  return finish(trainer, result, *log);
}

}  // namespace dlg
