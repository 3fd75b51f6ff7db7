#include "runtime/worker_choice.h"

#include <algorithm>
#include <cmath>

#include "support/check.h"

namespace dlg {
namespace {

/// Between two tries of a number, in seconds, and in what a try may cost.
constexpr double kShortestPause = 0.25;
constexpr double kShortestShare = 4;
/// After as many tries in vain a pause grows no more.
constexpr int kMostDoublings = 5;
/// So much less must steps take, and so much more mean that something around has changed.
constexpr double kGain = 0.95;
constexpr double kChange = 1.2;
/// Of the stretch from which fewer workers are faster by count. They may be so before: those who share the
/// memory slow one another down.
constexpr double kShareOfStretch = 0.75;

}  // namespace

WorkerChoice::WorkerChoice(int most) {
  DLG_CHECK(most >= 1, "somebody works");
  // One less than all: a single core may be busy.
  if (most > 2) candidates_ = {{most}};
  for (int workers = most > 2 ? most - 1 : most; workers > 1; workers = (workers + 1) / 2) {
    candidates_.push_back({workers});
  }
  candidates_.push_back({1});
}

void WorkerChoice::took(std::int64_t steps, double seconds, double stretch) {
  if (steps <= 0) return;
  for (Candidate& candidate : candidates_) candidate.rested += seconds;
  const double step_seconds = seconds / static_cast<double>(steps);
  if (is_trying()) {
    judge_try(step_seconds);
    next_ = chosen_;
  } else {
    judge_chosen(step_seconds);
    stretch_ = stretch;
    next_ = due();
  }
}

void WorkerChoice::judge_try(double step_seconds) {
  candidates_[next_].rested = 0;
  if (step_seconds >= kGain * step_seconds_) {
    ++candidates_[next_].losses;
    return;
  }
  former_ = Former{chosen_, step_seconds_};
  chosen_ = next_;
}

/// A short try may have been lucky; then the one before takes over again.
void WorkerChoice::judge_chosen(double step_seconds) {
  if (former_ && step_seconds >= former_->step_seconds) {
    ++candidates_[chosen_].losses;
    chosen_ = former_->candidate;
    step_seconds_ = former_->step_seconds;
  } else {
    const bool has_changed = step_seconds_ > 0 && !former_ && step_seconds > kChange * step_seconds_;
    if (has_changed || former_) {
      for (Candidate& candidate : candidates_) candidate.losses = 0;
    }
    step_seconds_ = step_seconds;
  }
  former_.reset();
}

/// Who is to be tried next; the chosen one if nobody is. Only its neighbours are: as far as that pays, their
/// neighbours come next.
std::size_t WorkerChoice::due() const {
  const std::size_t first = chosen_ - (chosen_ > 0 ? 1 : 0);
  for (std::size_t i = first; i <= chosen_ + 1 && i < candidates_.size(); ++i) {
    const Candidate& candidate = candidates_[i];
    if (i != chosen_ && may_pay(candidate) && candidate.rested >= pause_of(candidate)) return i;
  }
  return chosen_;
}

/// So many workers less do the work of all in `workers / fewer` of the time that each is busy now.
bool WorkerChoice::may_pay(const Candidate& candidate) const {
  const double of_count = static_cast<double>(candidates_[chosen_].workers) / candidate.workers;
  return of_count < 1 || stretch_ > kShareOfStretch * of_count;
}

double WorkerChoice::pause_of(const Candidate& candidate) const {
  // At worst the work of all is done by fewer.
  const double share = std::max(1.0, static_cast<double>(candidates_[chosen_].workers) / candidate.workers);
  const double cost = std::max(kTrySeconds, share * step_seconds_);
  return std::ldexp(std::max(kShortestPause, kShortestShare * cost),
                    std::min(candidate.losses, kMostDoublings));
}

}  // namespace dlg
