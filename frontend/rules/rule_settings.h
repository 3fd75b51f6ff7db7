// Owns the settings around a rule: weight decay, clipping, accumulation, averages, groups and frozen
// parameters.
#pragma once

#include "frontend/rules/optimizer_rule.h"
#include "frontend/rules/rule_text.h"

namespace dlg {

/// Adds to `text` what the settings say. False after errors.
bool read_rule_settings(Elaboration& e, const RuleSettings& settings, RuleText& text);

}  // namespace dlg
