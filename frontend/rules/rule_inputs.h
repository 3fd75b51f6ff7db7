// Owns the run-time inputs of a rule: what its arguments are in a step, for all parameters or by group.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frontend/rules/rule_text.h"
#include "ir/graph/update_rule.h"

namespace dlg {

class RuleInputs {
 public:
  RuleInputs(Elaboration& e, const RuleText& rule, RuleBuilder& scope) : e_(e), rule_(rule), scope_(scope) {}

  /// The argument as a scalar in f64; a list of one for each parameter where a group has its own `key`.
  Value value(const std::string& key, const ArgumentText& argument);
  /// Evaluates a text of the user's file whose numbers are run-time inputs called `name`.
  Value evaluated(const std::string& name, const std::function<Value()>& evaluate);
  /// All inputs made until now, in order.
  const std::vector<Hyper>& hypers() const { return hypers_; }

 private:
  Value scalar(const ArgumentText& argument);
  Value input(const std::string& name, double value, SourceRange range);
  TensorValue hyper(const std::string& name, double value, SourceRange range);
  std::optional<Value> moment(const std::string& name);
  TensorValue epoch();

  Elaboration& e_;
  const RuleText& rule_;
  RuleBuilder& scope_;
  std::vector<Hyper> hypers_;
};

}  // namespace dlg
