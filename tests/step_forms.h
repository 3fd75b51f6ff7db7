// Owns the list of forms in which a test compiles a program.
#pragma once

#include <vector>

#include "codegen/jit.h"

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

}  // namespace dlg::test
