// Owns the choice of how many workers make the next steps of a training, by the time that steps take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace dlg {

/// More workers are faster where each has a core of its own. Where something else keeps such a core busy, all
/// wait for the worker that waits for it, and fewer are faster. The number changes no result, so others are
/// tried while the training goes on: now and then, in one short call, and the more seldom the longer that has
/// not paid. Fewer only where workers wait so long that fewer can be faster: a quiet machine pays nothing.
class WorkerChoice {
 public:
  /// Of 1 to `most` workers, 1 at least; at first all.
  explicit WorkerChoice(int most);

  /// For the next call.
  int workers() const { return candidates_[next_].workers; }
  /// Whether the next call only tries a number, so that it should be short: about kTrySeconds.
  bool is_trying() const { return next_ != chosen_; }
  /// What that call took. `stretch`: the time of its phases over that which the worker with the least to do
  /// was busy; 1 where nobody waits.
  void took(std::int64_t steps, double seconds, double stretch);

  static constexpr double kTrySeconds = 0.005;

 private:
  struct Candidate {
    int workers = 1;
    double rested = 0;  // seconds since it was tried
    int losses = 0;     // tries in vain
  };
  /// Who was chosen before, and what its steps took.
  struct Former {
    std::size_t candidate = 0;
    double step_seconds = 0;
  };

  void judge_try(double step_seconds);
  void judge_chosen(double step_seconds);
  std::size_t due() const;
  bool may_pay(const Candidate& candidate) const;
  double pause_of(const Candidate& candidate) const;

  std::vector<Candidate> candidates_;  // from many to few workers
  std::size_t chosen_ = 0;
  std::size_t next_ = 0;
  double step_seconds_ = 0;       // of the chosen one; 0: not known yet
  double stretch_ = 1;            // of its last call
  std::optional<Former> former_;  // until a whole call of the chosen one has confirmed the choice
};

}  // namespace dlg
