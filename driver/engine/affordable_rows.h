// Owns how many rows of a batch the f64 interpreter looks at: a large net takes it seconds for each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/engine/training_setup.h"

namespace dlg {

/// What the interpreter does in a comparison, in multiply-adds and elements (`interpreter_work`): some ten
/// seconds.
inline constexpr std::int64_t kAffordableWork = 300'000'000;

/// The first rows of the first batch, as many as `graph` can be interpreted for `times` times within
/// kAffordableWork and, with the bounds of rounding, within the memory that there is. At least two, so that
/// means over the batch are some; more where the first ones have no weight.
std::vector<std::int64_t> affordable_rows(const TrainingSetup& setup, const Graph& graph,
                                          std::int64_t times = 1);

/// " on the first 2 rows of a batch of 64"; empty where the rows are the whole first batch.
std::string rows_text(const TrainingSetup& setup, std::int64_t rows);

}  // namespace dlg
