// Owns what stands around a rule: the gradient is clipped and decayed before the rule sees it, weights decay
// beside it, averages follow it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "frontend/rules/rule_inputs.h"

namespace dlg {

/// Everything here works on lists with one value for each parameter, like the rule itself.
class RuleSurroundings {
 public:
  RuleSurroundings(Elaboration& e, const RuleText& rule, RuleBuilder& scope, RuleInputs& inputs)
      : e_(e), rule_(rule), scope_(scope), inputs_(inputs) {}

  /// Reports what the function of `clip` requires of its numbers, as they are in the first update, and
  /// numbers that are none; `theta` stands for the gradients.
  void check_clip(const Value& theta);
  /// The gradient at the points as the rule gets it: first clipped, then with the coupled decay.
  Value gradient(Value gradient, const Value& points);
  /// The second derivatives as the rule gets them: the coupled decay is the gradient of rate / 2 times the
  /// sum of squares, so its rate is on the diagonal. Clips are no derivatives of anything and leave no mark.
  Value hessian(Value matrix);
  /// The new weights of the rule with the decoupled decay, `lr` being the rule's.
  Value weights(Value weights, const Value& theta, const Value& lr);
  /// Writes the averages of the new weights. The average begins as the weights before the first update.
  void average(const Value& weights, const Value& theta);
  /// Writes the norm of the gradient at `theta`, neither clipped nor decayed.
  void watch_gradient(const std::vector<ValueId>& theta);

 private:
  Value op(const char* op, const Value& a, const Value& b);
  Value decay_rate();
  Value call_clip(const Value& gradient);
  Value clipped(const Value& gradient);
  TensorValue average_before(std::size_t parameter);

  Elaboration& e_;
  const RuleText& rule_;
  RuleBuilder& scope_;
  RuleInputs& inputs_;
  std::optional<Value> decay_rate_;
  std::map<std::vector<ValueId>, Value> gradients_;  // by point: a rule asks more than once
};

}  // namespace dlg
