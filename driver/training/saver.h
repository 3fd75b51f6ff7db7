// Owns when and how a training under way is saved into its run.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "driver/training/running_training.h"
#include "runtime/checkpoint.h"

namespace dlg {

/// Saves at most once in `--save-every`, and at the end. A save replaces the one before in one step.
class Saver {
 public:
  /// `interval`: seconds.
  Saver(const RunningTraining& training, std::int64_t interval);

  /// Saves now. Errors: exit 3; the save before is still there.
  bool save(const TrainProgress& progress, Diagnostics& diagnostics);
  /// Saves if it is time. A failure is told; training goes on, and it is tried again after the interval.
  void save_in_time(const TrainProgress& progress);

 private:
  RunningTraining training_;
  std::int64_t interval_;
  double last_ = 0;
  std::optional<std::vector<DataMark>>
      marks_;  // made at the first save, so that the first step does not wait
};

}  // namespace dlg
