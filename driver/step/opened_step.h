// Owns what every look at one training step begins with: the program, its data and the engine that makes it.
#pragma once

#include <memory>
#include <optional>

#include "driver/engine/laboratory.h"
#include "driver/engine/machine.h"
#include "driver/step/step_options.h"

namespace dlg {

struct OpenedStep {
  TrainingSetup setup;
  Inspection inspection;
  std::unique_ptr<Laboratory> laboratory;
  std::int64_t sample = 0;  // of the first batch: the one that is looked at
};

/// Loads the program of the session and its data. nullptr after a diagnostic: an error in them, no `train`
/// block, no such sample in the first batch.
std::unique_ptr<OpenedStep> open_step(Session& session, const StepOptions& options);

/// The states after one update from `start`. nullopt after a message that the loss or a new state is not
/// finite: the verb ends with kExitDiverged.
std::optional<StateValues> first_update(Session& session, Laboratory& laboratory, const StateValues& start);

}  // namespace dlg
