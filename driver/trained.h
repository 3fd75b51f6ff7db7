// Owns what eval and predict begin with: a finished run of the program with its record and weights.
#pragma once

#include <optional>

#include "driver/data.h"
#include "driver/weights.h"

namespace dlg {

struct TrainedRun {
  RunFolder folder;
  RunRecord record;
  StateValues weights;
};

/// The run that `--run` names, else the latest one of this program.
std::optional<TrainedRun> load_run(Session& session, const Program& program);

}  // namespace dlg
