// Owns `race` blocks: a race is a training whose rule is one of several.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// Puts the `train` block that race `index` of the file means in place of the file's own, still without a
/// rule; a function of one vector gets a model `point` that holds it. Reports what the race lacks.
void expand_race(ast::File& file, std::size_t index, Diagnostics& diagnostics);

/// Gives that block the first rule of the race. After overrides: they are for what all rules share.
void add_first_rule(ast::File& file, std::size_t index);

/// The rest of the block, behind its training: all rules and what to draw, as CheckedProgram::race.
void elaborate_race(Elaboration& e, const ast::SettingsBlock& block, CheckedProgram& program);

}  // namespace dlg
