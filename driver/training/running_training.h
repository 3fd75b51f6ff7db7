// Owns the picture of a training under way: what it is made of, for all who save it, tell of it and end it.
#pragma once

#include "driver/engine/machine.h"
#include "driver/training/judge.h"
#include "driver/training/part_meter.h"
#include "driver/training/training_log.h"
#include "driver/training/training_run.h"
#include "driver/training/training_states.h"

namespace dlg {

/// All parts outlive whoever is given them.
struct RunningTraining {
  Session& session;
  const TrainingSetup& setup;
  Machine& machine;
  const TrainingStates& states;
  TrainingRun& run;
  TrainingLog& log;
  PartMeter& meter;
  Judge& judge;
};

}  // namespace dlg
