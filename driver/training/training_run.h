// Owns the run that a training writes to: its folder, the lock on it and its record.
#pragma once

#include <optional>

#include "driver/engine/training_setup.h"

namespace dlg {

/// A run that nobody else is writing to.
struct TrainingRun {
  RunFolder folder;
  RunLock lock;
  RunRecord record;
};

/// Claims a new folder and writes into it what is known before the training; `init`: the file of the weights
/// that it starts from, or empty. nullopt after an error.
std::optional<TrainingRun> start_run(Session& session, const TrainingSetup& setup, const std::string& init);

/// Goes on with a run: what was set for its end is what is set now. nullopt after an error.
std::optional<TrainingRun> reopen_run(Session& session, const TrainingSetup& setup, TrainingRun run);

}  // namespace dlg
