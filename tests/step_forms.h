// Owns the ways in which a test compiles a loop program: forms, targets, and the schedule for them.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "codegen/jit.h"
#include "passes/schedule/schedule_loops.h"
#include "passes/schedule/step_form.h"
#include "tests/schedules.h"
#include "tests/shares.h"

namespace dlg::test {

/// With loops, and the form that is chosen for the program if that is another one.
inline std::vector<StepForm> step_forms(const loop::Program& program) {
  std::vector<StepForm> forms{StepForm::kLoops};
  if (choose_form(program) != forms.front()) forms.push_back(choose_form(program));
  return forms;
}

inline const char* form_name(StepForm form) {
  return form == StepForm::kLoops ? "with loops" : "straight";
}

/// What a loop program is scheduled and compiled for.
struct CompiledAs {
  Target target = Target::kHost;
  std::optional<StepForm> form = std::nullopt;  // nullopt: the one that is chosen
  Caching caching = Caching::kOff;
  Effort effort = Effort::kFull;
  std::uint64_t schedule_seed =
      0;  // of a random schedule of the loops (schedules.h); 0: the one that is chosen
  Division division = Division::kChosen;  // of a step with loops
};

inline loop::Program scheduled(const loop::Program& program, Target target,
                               std::optional<StepForm> form = std::nullopt) {
  return schedule_loops(program, core_of(target), form);
}

inline CompiledProgram compiled(const loop::Program& program, const CompiledAs& how) {
  loop::Program made = scheduled(program, how.target, how.form);
  if (how.schedule_seed != 0) made = RandomSchedules(how.schedule_seed).of(std::move(made));
  if (made.schedule->form == StepForm::kLoops) made = divided(std::move(made), how.division);
  return compile(made, {.target = how.target, .caching = how.caching, .effort = how.effort});
}

}  // namespace dlg::test
