// Owns the paths of the states that an update keeps: those of a rule, and those that accumulation keeps
// beside them.
#pragma once

#include <string>

namespace dlg {

/// A state of the rule for one parameter.
inline std::string rule_state_path(const std::string& parameter, const std::string& name) {
  return parameter + "." + name;
}

/// A state of the whole rule; no model has such a path.
inline constexpr const char* kRulePrefix = "rule:";
inline std::string rule_state_path(const std::string& name) {
  return kRulePrefix + name;
}

/// The counter of updates.
inline constexpr const char* kStepState = "step";

/// Of a parameter: the sum of its gradients over micro-batches, one for each point that a rule asks for.
inline constexpr const char* kGradientSumState = "gradient_sum";

/// Of the whole rule: micro-batches since the last update, the rows in them or the sum of the weights of
/// these, and the sum of their losses.
inline constexpr const char* kMicroBatchesState = "micro_batches";
inline constexpr const char* kMicroRowsState = "micro_rows";
inline constexpr const char* kMicroLossState = "micro_loss";

}  // namespace dlg
