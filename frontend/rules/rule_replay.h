// Owns the replay of an optimizer's statements in lock-step over all parameters, with the settings around it:
// for the check and for real.
#pragma once

#include "frontend/rules/rule_text.h"
#include "ir/graph/update_rule.h"

namespace dlg {

/// What a replay reads besides the rule. A replay of a checked rule reports nothing.
struct RuleSetting {
  const Sources& sources;
  const Library& library;
  Diagnostics& diagnostics;
  DType dtype;
};

/// Statement k for all parameters before statement k + 1. Scalars of the rule are f64 and are rounded where
/// they meet a parameter.
void replay_rule(const RuleSetting& setting, const RuleText& rule, UpdateScope& scope);

/// What a rule reads that changes from run to run or from epoch to epoch.
struct RuleReads {
  std::vector<Hyper> hypers;  // run-time inputs, in order
  std::vector<MeasuredInput> measured;
};

/// Replays the rule in a graph of its own over the program's parameters and reports what is wrong with it.
/// nullopt after errors.
std::optional<RuleReads> check_rule(Elaboration& e, const RuleText& rule);

}  // namespace dlg
