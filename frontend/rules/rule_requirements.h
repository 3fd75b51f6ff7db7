// Owns what a rule requires of its arguments: of fixed ones when the program is checked, of schedules over
// the updates of a training.
#pragma once

#include "frontend/rules/rule_replay.h"

namespace dlg {

/// Looks at every `require` of the rule with arguments that are the same in all steps, those of groups
/// included. False after an error.
bool check_fixed_arguments(Elaboration& e, const RuleText& rule);

/// Whether the rule requires something and one of its arguments is a schedule.
bool has_scheduled_requirements(const Library& library, const RuleText& rule);

/// Looks at every `require` of the rule with the values that schedules have in all steps of the training, or
/// in some thousand of a longer one: the ends, the borders that stand in the schedules, and steps evenly
/// spread between them. Without a limit in steps or epochs only the first step is sure to come. In the last
/// step a schedule may reach the very limit that is required, as a cosine comes to 0.
void check_scheduled_arguments(const RuleSetting& setting, const RuleText& rule, const RunLength& run);

}  // namespace dlg
