// Owns `dlg train`: a run, its progress and the files it writes.
#include <fmt/ostream.h>

#include <csignal>
#include <iostream>
#include <numeric>

#include "driver/programs.h"
#include "driver/verbs.h"
#include "driver/warm_start.h"
#include "driver/weights.h"
#include "runtime/interrupt.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<> kNothingToTrain{DiagCode::NoTrainBlock, Severity::kError,
                                 "the program has no `train` block, so there is nothing to train"};

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
};

std::string_view end_text(TrainEnd end) {
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

/// The words of one epoch: on the terminal and in the log.
std::string progress_text(const Trainer& trainer, const TrainProgress& progress,
                          const std::vector<PartResult>& results) {
  const std::optional<std::int64_t> epochs = train_plan(trainer.program, trainer.data).stop.epochs;
  std::string text = fmt::format("epoch {}", progress.epochs);
  if (epochs) text += fmt::format("/{}", *epochs);
  text += fmt::format("  step {}  loss(avg) {:.6g}", progress.steps, progress.loss);
  for (const PartResult& result : results) {
    for (const auto& [name, value] : result.values) {
      text += fmt::format("  {} {} {}", result.part, name, metric_text(trainer.program, name, value));
    }
  }
  return text + fmt::format("  {:.1f} s", progress.seconds);
}

Json log_line(const TrainProgress& progress, const std::vector<PartResult>& results) {
  Json line = Json::object();
  line.set("event", "epoch").set("epoch", progress.epochs).set("step", progress.steps);
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

/// Evaluates the validation part at the current weights; nothing without one.
std::vector<PartResult> validate(Trainer& trainer) {
  if (trainer.data.parts.val.empty()) return {};
  return evaluate_at(trainer, trainer.machine->states(), {{"val", &trainer.data.parts.val}})
      .value_or(std::vector<PartResult>());
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
    const std::vector<PartResult> results = validate(trainer_);
    progress_.epoch(progress_text(trainer_, at, results));
    log_.record(log_line(at, results));
  }

  Trainer& trainer_;
  LogFile& log_;
  Progress progress_;
  RateLimit limit_;
  bool is_told_ = true;
};

TrainResult run_loop(Trainer& trainer, LogFile& log) {
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
  json.set("run", trainer.folder.path).set("end", std::string(end_text(result.end)));
  json.set("epochs", result.progress.epochs).set("steps", result.progress.steps);
  json.set("seconds", result.progress.seconds);
  add_results(json, results);
  return json;
}

void print_result(const Trainer& trainer, const TrainResult& result, const std::vector<PartResult>& results) {
  std::ostream& out = trainer.session.streams.out;
  if (trainer.session.options.is_json) {
    out << json_text(result_json(trainer, result, results)) << '\n';
    return;
  }
  fmt::print(out, "stopped after {}, {}: {}\n", counted(result.progress.epochs, "epoch"),
             counted(result.progress.steps, "step"), end_text(result.end));
  out << results_text(trainer.program, results);
  fmt::print(out, "wrote {}: weights.safetensors optimizer.safetensors run.json log.jsonl model.dlg\n",
             trainer.folder.path);
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

/// Saves, evaluates all parts, prints. The exit code.
int finish(Trainer& trainer, const TrainResult& result, LogFile& log) {
  if (result.end == TrainEnd::kDiverged) return report_divergence(trainer, result);
  for (auto& [path, values] : trainer.machine->states()) trainer.states[path] = values;
  Diagnostics& diagnostics = trainer.session.diagnostics;
  if (!save_states(trainer.folder, trainer.machine->graph(), trainer.states, diagnostics)) {
    return trainer.session.report();
  }
  const auto evaluated = evaluate_at(trainer, trainer.states, parts_of(trainer.data));
  if (!evaluated) return trainer.session.report();
  const std::vector<PartResult>& results = *evaluated;
  trainer.record.ended = end_text(result.end);
  trainer.record.results = {{"epochs", static_cast<double>(result.progress.epochs)},
                            {"steps", static_cast<double>(result.progress.steps)}};
  for (const PartResult& part : results) {
    for (const auto& [name, value] : part.values) {
      trainer.record.results.emplace_back(part.part.empty() ? name : part.part + " " + name, value);
    }
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

bool prepare(Trainer& trainer) {
  Session& session = trainer.session;
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
