#include "runtime/good_state.h"

#include <algorithm>

#include "runtime/array_view.h"

namespace dlg {

bool has_finite_states(const StepProgram& program) {
  return std::all_of(program.float_states.begin(), program.float_states.end(), [&](const FloatState& floats) {
    return are_finite(floats.type, program.memory->state() + floats.offset, floats.count);
  });
}

bool GoodState::keep(const TrainProgress& progress) {
  constexpr double kShare = 0.01;
  const double before = steady_seconds();
  if (!has_finite_states(program_)) return false;
  const auto state = program_.memory->state_bytes();
  bytes_.assign(state.begin(), state.end());
  progress_ = progress;
  const double after = steady_seconds();
  due_ = after + (after - before) / kShare;
  return true;
}

const TrainProgress& GoodState::restore() const {
  std::copy(bytes_.begin(), bytes_.end(), program_.memory->state());
  return progress_;
}

}  // namespace dlg
