// Owns the stops that look at what training measures: norms of gradients, values of a part, plateaus; and
// which weights were the best.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "driver/engine/machine.h"
#include "frontend/checked_program.h"

namespace dlg {

/// Where a judge gets its numbers from.
struct Measures {
  /// A value at the current weights; `progress` says at which.
  std::function<double(const WatchedValue&, const TrainProgress&)> value;
  std::function<std::optional<double>()> gradient_norm;  // of the last step; nullopt if it made no update
  std::function<StateViews()> weights;                   // at the moment
};

/// The best weights until now, by the value that a plateau watches.
struct Best {
  double value = 0;
  std::int64_t epoch = 0;  // at whose end they were measured
  StateCopies weights;
};

/// Made before the first step of a training, asked after every step or epoch of it.
class Judge {
 public:
  Judge(const Training& training, Measures measures);

  /// Whether any condition of `stop` wants to be looked at.
  bool is_needed() const { return !conditions_.empty(); }
  JudgeAt at() const;
  /// Stops at the first condition that holds.
  Verdict look(const TrainProgress& progress);

  /// The condition that stopped the training, as it is written; null if none did.
  const StopCondition* reason() const { return reason_; }
  /// Of the first plateau; nullopt without one or before an epoch has ended.
  const std::optional<Best>& best() const { return best_; }

  /// `states` with the weights of the best epoch in their place.
  StateViews best_states(StateViews states) const;

  /// What a judge of the same training goes on from, as JSON: the best of each plateau and the norms of the
  /// epoch that has begun. The weights of `best` are kept elsewhere.
  std::string memory() const;
  /// Goes on from there, with the weights of `best`. What `stop` did not look at before begins anew.
  void recall(const std::string& memory, const StateViews& best);

 private:
  struct Watch {
    const StopCondition* stop;
    std::optional<double> best = std::nullopt;
    std::int64_t best_epoch = 0;
  };
  const Watch* first_plateau() const;
  bool holds(Watch& watch, const TrainProgress& progress);
  bool is_plateau(Watch& watch, const TrainProgress& progress);
  void keep_best(double value, std::int64_t epoch, const StateViews& weights);

  Measures measures_;
  std::vector<Watch> conditions_;
  const StopCondition* reason_ = nullptr;
  std::optional<Best> best_;
  double norms_ = 0;        // of the steps of this epoch
  std::int64_t steps_ = 0;  // in it
};

}  // namespace dlg
