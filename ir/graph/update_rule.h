// Owns the seam between an optimizer's text and the update pass: a rule that is replayed over all parameters
// in lock-step.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ir/graph/builder.h"

namespace dlg {

class Diagnostics;

/// What a rule works on while it is replayed: parameter p is `theta(p)`, frozen ones not among them; all
/// calls build nodes in the training graph.
class UpdateScope {
 public:
  virtual ~UpdateScope() = default;

  virtual Builder& builder() = 0;
  virtual std::size_t parameter_count() const = 0;
  virtual const std::string& path(std::size_t parameter) const = 0;
  /// The parameter at the start of the step.
  virtual ValueId theta(std::size_t parameter) = 0;
  /// The number of this update, from 1, as f64[].
  virtual ValueId step() = 0;
  /// A run-time scalar of the rule, f64[]: `optimizer.lr`.
  virtual ValueId hyper(const std::string& name) = 0;
  /// A state of the rule for one parameter at the start of the step; made on first use with its initial
  /// value.
  virtual ValueId state(std::size_t parameter, const std::string& name, double initial) = 0;
  /// A state of the whole rule at the start of the step: one number, f64[]; made on first use.
  virtual ValueId scalar_state(const std::string& name, double initial) = 0;
  /// The loss of the step, before its update.
  virtual ValueId loss() = 0;
  /// The gradient of the loss with every trained parameter at its point (one value per parameter, of its
  /// type).
  virtual std::vector<ValueId> gradient(const std::vector<ValueId>& points) = 0;

  /// The second derivatives of the loss with every trained parameter at its point: [n, n] over all parameters
  /// one after the other, in their element type.
  virtual ValueId hessian(const std::vector<ValueId>& points) = 0;
  /// The derivatives of a scalar of the rule by some of its values; zeros where it does not depend on one.
  virtual std::vector<ValueId> derivatives(ValueId e, const std::vector<ValueId>& by) = 0;

  virtual void set_theta(std::size_t parameter, ValueId value) = 0;
  virtual void set_state(std::size_t parameter, const std::string& name, ValueId value) = 0;
  virtual void set_scalar_state(const std::string& name, ValueId value) = 0;
};

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

/// The path of a state of the whole rule; no model has such a path.
inline std::string rule_state_path(const std::string& name) {
  return "rule:" + name;
}

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

/// The optimizer's text, checked, ready to be replayed.
struct UpdateRule {
  std::string name;  // `adam`
  std::vector<Hyper> hypers;
  std::function<void(UpdateScope&)> apply;
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
