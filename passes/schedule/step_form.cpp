// Owns the choice between the two forms of a compiled step.
#include "passes/schedule/step_form.h"

namespace dlg {
namespace {

/// More operations are not worth their compilation without loops.
constexpr double kMostOperations = 800;
/// What is kept in registers and on the stack.
constexpr std::int64_t kMostBytes = 4096;

/// Operations of `body`, each loop written out; stops counting beyond the limit. Loops nest at most as deep
/// as axes do.
double operations(const loop::Program& program, const loop::Body& body) {
  double count = 0;
  for (const loop::Statement& statement : body) {
    if (statement.loop.empty()) ++count;
    for (const loop::Loop& inner : statement.loop) {
      const double iterations = loop::iterations(inner, program.batch);
      if (iterations > kMostOperations) return iterations;
      count += iterations * operations(program, inner.body);
    }
    if (count > kMostOperations) return count;
  }
  return count;
}

}  // namespace

loop::StepForm choose_form(const loop::Program& program) {
  if (program.arena_bytes + program.state_bytes > kMostBytes) return loop::StepForm::kLoops;
  double count = 0;
  for (const loop::Kernel& kernel : program.kernels) {
    count += operations(program, kernel.body);
    if (count > kMostOperations) return loop::StepForm::kLoops;
  }
  return loop::StepForm::kStraight;
}

}  // namespace dlg
