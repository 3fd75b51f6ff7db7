// Owns the last moment of a training at which every number of its states was finite.
#pragma once

#include <vector>

#include "runtime/train_loop.h"

namespace dlg {

/// Whether every floating-point state is finite.
bool has_finite_states(const StepProgram& program);

/// A copy of the states, made from time to time: looking and copying takes at most a hundredth of the time.
class GoodState {
 public:
  explicit GoodState(const StepProgram& program) : program_(program) {}

  /// Whether it is time to look again.
  bool is_due() const { return steady_seconds() >= due_; }
  /// Looks at the states in memory and keeps them if they are finite; answers whether they are.
  bool keep(const TrainProgress& progress);
  /// Puts what was kept last back into memory; answers where the training was then.
  const TrainProgress& restore() const;

 private:
  const StepProgram& program_;
  std::vector<unsigned char> bytes_;
  TrainProgress progress_;
  double due_ = 0;
};

}  // namespace dlg
