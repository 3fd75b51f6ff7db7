// Owns what a training is before anything is compiled: the program, its data and what follows from both, made
// once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "driver/data/data.h"
#include "frontend/checked_program.h"
#include "runtime/train_loop.h"

namespace dlg {

/// Without a `train` block all rows are one batch, nothing stops, and the rule is empty.
struct TrainingSetup {
  CheckedProgram program;
  LoadedData data;
  std::int64_t batch = 1;  // rows that the training graph is compiled for
  TrainPlan plan = {};     // its steps are those of the program: one for each micro-batch
  RunLength length = {};   // in updates
  UpdateRule rule = {};    // with what the data says of it: the steps of an epoch and the last step
};

TrainingSetup make_setup(CheckedProgram program, LoadedData data);

/// Reads the data of a program that is to be trained. nullopt after errors: those of reading it, a part that
/// training looks at and the data does not have, no update before the end, and schedules that break a
/// requirement of their rule on the way.
std::optional<TrainingSetup> set_up_training(Session& session, CheckedProgram program,
                                             const RunRecord* record = nullptr);

/// The rule with its inputs for a training of this length.
UpdateRule rule_over(UpdateRule rule, const RunLength& length);

/// The data rows of step `step` (from 0), as the training loop chooses them; none without data.
std::vector<std::int64_t> batch_of_step(const TrainPlan& plan, std::int64_t step);

}  // namespace dlg
