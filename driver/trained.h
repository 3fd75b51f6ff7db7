// Owns what eval and predict begin with: the program as a finished run trained it, with the run's record and
// weights.
#pragma once

#include <optional>

#include "driver/data.h"
#include "driver/weights.h"

namespace dlg {

struct TrainedProgram {
  Program program;
  RunFolder folder;
  RunRecord record;
  StateValues weights;
};

/// The run that `--run` names, else the latest one of this program. The `--set` of the run hold again, those
/// of this call win.
std::optional<TrainedProgram> load_trained(Session& session);

}  // namespace dlg
