// Owns when and how a training under way is saved into its run.
#pragma once

#include "driver/data/data.h"
#include "driver/engine/machine.h"
#include "driver/training/judge.h"
#include "runtime/checkpoint.h"
#include "runtime/log.h"

namespace dlg {

/// What is saved and where; everything outlives the saver.
struct SavedTraining {
  Session& session;
  const RunFolder& folder;
  RunRecord& record;
  const LoadedData& data;
  const Machine& machine;
  StateValues& states;  // of the whole program: what the machine does not hold keeps its value
  const Judge& judge;
};

/// Saves at most once in `--save-every`, and at the end. A save replaces the one before in one step.
class Saver {
 public:
  Saver(SavedTraining training, LogFile& log);

  /// Saves now. Errors: exit 3; the save before is still there.
  bool save(const TrainProgress& progress, Diagnostics& diagnostics);
  /// Saves if it is time. A failure is told; training goes on, and it is tried again after the interval.
  void save_in_time(const TrainProgress& progress);

 private:
  SavedTraining training_;
  LogFile& log_;
  double last_ = 0;
  std::optional<std::vector<DataMark>>
      marks_;  // made at the first save, so that the first step does not wait
};

}  // namespace dlg
