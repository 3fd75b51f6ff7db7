// Owns the replay of an optimizer's statements in lock-step over all parameters, with the settings around it.
#pragma once

#include "frontend/rules/rule_text.h"
#include "ir/graph/update_rule.h"

namespace dlg {

/// What the statements and requirements of a rule are evaluated with.
struct RuleSetting {
  const Sources& sources;
  const Library& library;
  Diagnostics& diagnostics;
  DType dtype;
};

/// A rule over the parameters of a program, and what it reads that changes from run to run or from epoch to
/// epoch.
struct ElaboratedRule {
  RuleGraph graph;
  std::vector<Hyper> hypers;  // run-time inputs, in order
  std::vector<MeasuredInput> measured;
};

/// Statement k for all parameters before statement k + 1. Scalars of the rule are f64 and are rounded where
/// they meet a parameter. nullopt after errors.
std::optional<ElaboratedRule> replay_rule(Elaboration& e, const RuleText& rule);

}  // namespace dlg
