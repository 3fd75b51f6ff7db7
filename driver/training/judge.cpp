#include "driver/training/judge.h"

#include <algorithm>
#include <cmath>

#include "runtime/json.h"

namespace dlg {
namespace {

using Kind = StopCondition::Kind;

bool is_judged(Kind kind) {
  return kind == Kind::kGradientBelow || kind == Kind::kBelow || kind == Kind::kAbove ||
         kind == Kind::kPlateau;
}

/// The number of a member of this name; nullopt if there is none.
std::optional<double> number_in(const Json& json, std::string_view key) {
  const Json* found = json.find(key);
  return found == nullptr ? std::nullopt : found->as_number();
}

std::string mode_of(const WatchedValue& watched) {
  return is_larger_better(watched) ? "max" : "min";
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
      (!watch.best || (is_larger_better(watched) ? value > *watch.best : value < *watch.best));
  if (is_better) {
    watch.best = value;
    watch.best_epoch = progress.epochs;
    if (&watch == first_plateau()) keep_best(value, progress.epochs, measures_.weights());
  }
  return static_cast<double>(progress.epochs - watch.best_epoch) >= watch.stop->value;
}

const Judge::Watch* Judge::first_plateau() const {
  const auto found = std::find_if(conditions_.begin(), conditions_.end(),
                                  [](const Watch& watch) { return watch.stop->kind == Kind::kPlateau; });
  return found == conditions_.end() ? nullptr : &*found;
}

void Judge::keep_best(double value, std::int64_t epoch, const StateViews& weights) {
  // The memory of those before is taken over.
  if (!best_) best_.emplace();
  best_->value = value;
  best_->epoch = epoch;
  best_->weights.set(weights);
}

StateViews Judge::best_states(StateViews states) const {
  StateViews best = best_->weights.views();
  best.merge(states);
  return best;
}

std::string Judge::memory() const {
  Json plateaus = Json::object();
  for (const Watch& watch : conditions_) {
    if (watch.stop->kind != Kind::kPlateau || !watch.best) continue;
    Json one = Json::object();
    one.set("best", *watch.best).set("epoch", watch.best_epoch).set("mode", mode_of(watch.stop->watched));
    plateaus.set(watch.stop->watched.text(), std::move(one));
  }
  Json memory = Json::object();
  memory.set("plateaus", std::move(plateaus)).set("norms", norms_).set("steps", steps_);
  if (best_) memory.set("best", first_plateau()->stop->watched.text());
  return json_text(memory);
}

void Judge::recall(const std::string& memory, const StateViews& best) {
  const JsonResult json = parse_json(memory);
  const Json* plateaus = json.value ? json.value->find("plateaus") : nullptr;
  if (plateaus == nullptr) return;
  norms_ = number_in(*json.value, "norms").value_or(0);
  steps_ = static_cast<std::int64_t>(number_in(*json.value, "steps").value_or(0));
  for (Watch& watch : conditions_) {
    const Json* found = plateaus->find(watch.stop->watched.text());
    if (watch.stop->kind != Kind::kPlateau || found == nullptr) continue;
    // The best in the other direction is not the best in this one.
    const Json* mode = found->find("mode");
    if (mode != nullptr && mode->as_text() != nullptr && *mode->as_text() != mode_of(watch.stop->watched)) {
      continue;
    }
    watch.best = number_in(*found, "best");
    watch.best_epoch = static_cast<std::int64_t>(number_in(*found, "epoch").value_or(0));
  }
  const Watch* first = first_plateau();
  const Json* owner = json.value->find("best");
  const bool is_kept = first != nullptr && first->best && owner != nullptr && owner->as_text() != nullptr &&
                       *owner->as_text() == first->stop->watched.text() && !best.empty();
  if (is_kept) keep_best(*first->best, first->best_epoch, best);
}

}  // namespace dlg
