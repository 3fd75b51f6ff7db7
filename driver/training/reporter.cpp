#include "driver/training/reporter.h"

#include <fmt/format.h>

#include <iostream>

#include "support/text.h"

namespace dlg {

std::int64_t updates_made(const CheckedProgram& program, const TrainProgress& progress) {
  return progress.steps / program.training->accumulate;
}

Reporter::Reporter(const RunningTraining& training, ProgressStyle style, std::int64_t logged)
    : training_(training),
      progress_(stderr, style),
      epochs_(training.setup.plan.stop.epochs),
      logged_(logged) {}

void Reporter::epoch(const TrainProgress& at) {
  const bool is_logged = at.epochs == next_told_epoch(at.epochs - 1);
  is_shown_ = limit_.pass();
  if (!is_logged && !is_shown_) return;
  const std::vector<PartResult>& results = training_.meter.measure("val", at.epochs);
  if (is_logged) log(at, results);
  if (is_shown_) progress_.epoch(text(at, results));
}

void Reporter::moment(const TrainProgress& at) {
  progress_.moment(text(at, {}));
  training_.log.file().tick();
}

void Reporter::finish(const TrainProgress& at) {
  if (at.epochs > 0 && (!is_shown_ || at.epochs > logged_)) {
    const std::vector<PartResult>& results = training_.meter.measure("val", at.epochs);
    if (!is_shown_) progress_.epoch(text(at, results));
    if (at.epochs > logged_ && at.epoch_step == 0) log(at, results);
  }
  progress_.finish();
}

std::string Reporter::text(const TrainProgress& at, const std::vector<PartResult>& results) const {
  std::string text = fmt::format("epoch {}", at.epochs);
  if (epochs_) text += fmt::format("/{}", *epochs_);
  text += fmt::format("  step {}", updates_made(training_.setup.program, at));
  // In the first epoch there is no average yet, and before the first step no loss.
  if (at.epochs > 0) {
    text += "  loss(avg) " + rounded_text(at.loss, 6);
  } else if (at.steps > 0) {
    text += "  loss " + rounded_text(at.step_loss, 6);
  }
  for (const PartResult& result : results) {
    for (const auto& [name, value] : result.values) {
      text += fmt::format("  {} {} {}", result.part, name, metric_text(training_.setup.program, name, value));
    }
  }
  return text + fmt::format("  {:.1f} s", at.seconds);
}

void Reporter::log(const TrainProgress& at, const std::vector<PartResult>& results) {
  logged_ = at.epochs;
  Json values = Json::object();
  add_results(values, results);
  training_.log.file().epoch({at.epochs, updates_made(training_.setup.program, at), at.loss, at.seconds},
                             values);
}

ProgressStyle progress_style(const Streams& streams) {
  const bool is_process = &streams.err == &std::cerr;
  return is_process ? progress_style(stderr) : ProgressStyle::kSilent;
}

}  // namespace dlg
