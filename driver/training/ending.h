// Owns the end of a training: what is saved, evaluated, recorded and told of it, also where a step could not
// be made.
#pragma once

#include "driver/training/running_training.h"
#include "driver/training/saver.h"

namespace dlg {

/// Saves the last weights and those that are kept beside them, evaluates them on all parts, completes log and
/// record and prints the outcome as `format` says. The exit code: kExitDiverged after a step that could not
/// be made, then with the operation or the index that it was; 128 and the signal that ended the training.
int end_training(const RunningTraining& training, const TrainResult& result, Saver& saver,
                 ResultFormat format);

}  // namespace dlg
