// Owns what eval and predict begin with: the program as a finished run trained it, with the run's record and
// weights.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/data/data.h"
#include "driver/engine/machine.h"
#include "driver/training/weights.h"

namespace dlg {

struct TrainedProgram {
  CheckedProgram program;
  RunFolder folder;
  RunRecord record;
  TensorFile weights;
};

/// Files of a prediction, none of which may be another one or one that is read; empty: none.
struct PredictionFiles {
  std::string input;
  std::vector<std::string> outputs;
};

/// The run that `chosen` names, else the latest one of this program. The `--set` of the run hold again, those
/// of this call win.
std::optional<TrainedProgram> load_trained(Session& session, const RunOptions& chosen,
                                           const PredictionFiles& files = {});

/// Whether the program file is there; else it is reported. It is read once the run has said what is set.
bool has_program(Session& session);

/// The run that `--run` or `--resume` names (`wanted`), else the latest one of this program that has weights.
std::optional<RunFolder> chosen_run(Session& session, const std::string& wanted);

/// Puts the `--set` of the run before those of this call, but for keys that this call sets itself.
void repeat_overrides(Session& session, const RunRecord& record);

}  // namespace dlg
