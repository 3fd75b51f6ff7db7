// Owns the seam between an optimizer's text and the update pass: a rule as a graph, with its run-time inputs
// and what it looks at.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/graph/rule_builder.h"
#include "ir/graph/rule_states.h"

namespace dlg {

class Diagnostics;

/// Run-time scalars that the training loop knows and no text says: the steps of an epoch, and the step of the
/// first limit in `stop`.
inline constexpr const char* kEpochStepsHyper = "run.epoch_steps";
inline constexpr const char* kLastStepHyper = "run.last_step";
/// Micro-batches of an update, where there are several.
inline constexpr const char* kAccumulateHyper = "accumulate";
/// The scalar state that holds the norm of the last step's gradient, where a stop looks at it.
inline constexpr const char* kGradientNormState = "grad_norm";
/// The state of a parameter that holds the average of its weights.
inline constexpr const char* kAverageState = "ema";

/// Which of two values of something measured is the better one.
enum class Better { kUnknown, kSmaller, kLarger };

/// A measured value: the loss of training at the end of an epoch (no part), or the loss or a metric of a
/// part.
struct WatchedValue {
  std::string part;  // `val`
  std::string name;  // `loss`, `accuracy`
  Better better = Better::kSmaller;

  /// As it is written: "val.loss".
  std::string text() const { return part.empty() ? name : part + "." + name; }
  friend bool operator==(const WatchedValue&, const WatchedValue&) = default;
};

inline bool is_larger_better(const WatchedValue& watched) {
  return watched.better == Better::kLarger;
}

/// One that a rule looks at.
struct MeasuredInput {
  WatchedValue watched;
  SourceRange origin;
};

/// The scalar state in which a rule finds such a value: as it was at the end of the last epoch.
inline std::string measured_state(const WatchedValue& watched) {
  return "measured." + watched.text();
}

/// One argument of the rule as it is written: `lr`, "cosine(1e-3)".
struct RuleArgument {
  std::string name;
  std::string text;
};

/// How long a training is, in updates.
struct RunLength {
  double epoch_steps = 1;  // no whole number where an update crosses the end of an epoch
  double last_step = 1;    // infinite: no limit in steps or epochs
};

/// An optimizer with everything around it, elaborated over the parameters of one program.
struct UpdateRule {
  std::string name;  // `adam`
  std::vector<Hyper> hypers;
  RuleGraph graph = {};
  /// Reports where an argument that is a schedule breaks a requirement of the rule in such a training; empty
  /// where there is nothing to find.
  std::function<void(const RunLength&, Diagnostics&)> check_run = {};
  std::vector<RuleArgument> arguments = {};
  std::vector<std::string> frozen = {};      // paths of parameters that no rule changes
  std::vector<MeasuredInput> measured = {};  // what the rule reads in measured_state
  bool is_accumulated = false;               // an update is made from kAccumulateHyper micro-batches
};

/// The run-time input of this name; null if the rule has none.
inline const Hyper* find_hyper(const UpdateRule& rule, std::string_view name) {
  for (const Hyper& hyper : rule.hypers) {
    if (hyper.name == name) return &hyper;
  }
  return nullptr;
}

}  // namespace dlg
