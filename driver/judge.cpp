#include "driver/judge.h"

#include <algorithm>
#include <cmath>

namespace dlg {
namespace {

using Kind = StopCondition::Kind;

bool is_judged(Kind kind) {
  return kind == Kind::kGradientBelow || kind == Kind::kBelow || kind == Kind::kAbove ||
         kind == Kind::kPlateau;
}

}  // namespace

Judge::Judge(const Training& training, Measures measures) : measures_(std::move(measures)) {
  for (const StopCondition& stop : training.stop) {
    if (is_judged(stop.kind)) conditions_.push_back({&stop});
  }
}

JudgeAt Judge::at() const {
  const bool is_each = std::any_of(conditions_.begin(), conditions_.end(), [](const Watch& watch) {
    return watch.stop->kind == Kind::kGradientBelow;
  });
  return is_each ? JudgeAt::kEveryStep : JudgeAt::kEpochEnd;
}

Verdict Judge::look(const TrainProgress& progress) {
  if (at() == JudgeAt::kEveryStep) {
    const std::optional<double> norm = measures_.gradient_norm();
    norms_ += norm.value_or(0);
    steps_ += norm ? 1 : 0;
  }
  if (progress.epoch_step != 0) return Verdict::kGoOn;
  for (Watch& watch : conditions_) {
    // All look, so that each knows its best.
    if (holds(watch, progress) && reason_ == nullptr) reason_ = watch.stop;
  }
  norms_ = 0;
  steps_ = 0;
  return reason_ == nullptr ? Verdict::kGoOn : Verdict::kStop;
}

bool Judge::holds(Watch& watch, const TrainProgress& progress) {
  const StopCondition& stop = *watch.stop;
  if (stop.kind == Kind::kGradientBelow) return norms_ / static_cast<double>(steps_) < stop.value;
  if (stop.kind == Kind::kPlateau) return is_plateau(watch, progress);
  const double value = measures_.value(stop.watched, progress);
  return stop.kind == Kind::kBelow ? value < stop.value : value > stop.value;
}

bool Judge::is_plateau(Watch& watch, const TrainProgress& progress) {
  const WatchedValue& watched = watch.stop->watched;
  const double value = measures_.value(watched, progress);
  const bool is_better =
      !std::isnan(value) &&
      (!watch.best || (watched.is_larger_better ? value > *watch.best : value < *watch.best));
  if (is_better) {
    watch.best = value;
    watch.best_epoch = progress.epochs;
    const bool is_first =
        watch.stop == std::find_if(conditions_.begin(), conditions_.end(), [](const Watch& w) {
                        return w.stop->kind == Kind::kPlateau;
                      })->stop;
    if (is_first) best_ = Best{value, progress.epochs, measures_.states()};
  }
  return static_cast<double>(progress.epochs - watch.best_epoch) >= watch.stop->value;
}

}  // namespace dlg
