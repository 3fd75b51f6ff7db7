// Owns the search for the operation that made a training diverge.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/engine/machine.h"
#include "driver/engine/training_setup.h"
#include "runtime/train_loop.h"

namespace dlg {

/// Values of one operand, as far as they are numbers.
struct OperandRange {
  std::string name;
  double low = 0;
  double high = 0;
};

/// The first operation of a step whose result is not finite though everything that goes into it is.
struct Culprit {
  std::string word;   // `log`
  std::string name;   // of the result
  std::string value;  // "nan", "inf" or "-inf"
  std::vector<OperandRange> operands;
  SourceRange range;
  bool is_forward = false;  // the loss is computed from it; else it is a derivative or part of the update
  bool is_moved = false;    // by the learning rate: in this step, or through weights that were updated
};

/// Makes the step that diverged once more, from these states and on these rows, with one kernel per operation
/// and every value kept. nullopt: there is not enough memory for all values at once.
std::optional<Culprit> find_culprit(Session& session, const TrainingSetup& setup, const StateViews& states,
                                    const TrainResult& result);

/// Reports a training that diverged (exit 5); the states after the last good step are in `folder`. A smaller
/// learning rate is recommended only where it could have had a part in it.
Report report_divergence(Session& session, const CheckedProgram& program, const TrainResult& result,
                         const std::optional<Culprit>& culprit, const RunFolder& folder);

}  // namespace dlg
