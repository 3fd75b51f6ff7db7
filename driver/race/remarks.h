// Owns the words beside a rule of a race: what its run shows at its end, and what theory expected.
#pragma once

#include <string>

#include "driver/race/report.h"

namespace dlg {

/// Where the loss of a run went that is last finite: 1 far above the first, -1 far below it, else 0.
int direction_of(const RaceRun& run);

/// `study` is null with many variables. Several remarks are divided by "; ".
std::string remark_of(const Standing& standing, const RaceReport& report, CurvatureStudy* study);

}  // namespace dlg
