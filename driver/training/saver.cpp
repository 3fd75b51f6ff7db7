#include "driver/training/saver.h"

#include <fmt/ostream.h>

#include "driver/training/resume.h"
#include "driver/training/weights.h"
#include "runtime/good_state.h"
#include "support/text.h"

namespace dlg {

Saver::Saver(const RunningTraining& training, std::int64_t interval)
    : training_(training), interval_(interval), last_(steady_seconds()) {}

bool Saver::save(const TrainProgress& progress, Diagnostics& diagnostics) {
  RunningTraining& training = training_;
  if (!marks_) marks_ = data_marks(training.setup.data);
  const StateViews states = training.states.views();
  Checkpoint checkpoint = checkpoint_of(training.machine.graph(), states);
  checkpoint.progress = progress;
  checkpoint.data = *marks_;
  if (training.judge.is_needed()) checkpoint.judged = training.judge.memory();
  if (training.judge.best()) {
    checkpoint.best = weights_of(training.machine.graph(), training.judge.best_states(states));
  }
  // A training that goes on from here finds the epochs before it in the log.
  training.log.file().flush();
  if (!write_checkpoint(training.run.folder, checkpoint, diagnostics)) return false;
  training.run.record.seconds = progress.seconds;
  return write_run_record(training.run.folder, training.run.record, diagnostics);
}

void Saver::save_in_time(const TrainProgress& progress) {
  const double now = steady_seconds();
  if (now - last_ < static_cast<double>(interval_)) return;
  if (!has_finite_states(training_.machine.step_program())) return;
  Diagnostics diagnostics;
  const bool is_saved = save(progress, diagnostics);
  last_ = steady_seconds();
  Json line = Json::object();
  line.set("event", is_saved ? "save" : "save failed").set("step", progress.steps);
  training_.log.file().event(line.set("seconds", progress.seconds));
  if (is_saved) return;
  training_.session.say(diagnostics);
  fmt::print(training_.session.streams.err, "dlg: training goes on; the next save is tried in {} s\n",
             interval_);
}

}  // namespace dlg
