// Owns what a metric may read: one row at a time, so that its mean over a part says nothing of the batches.
#pragma once

#include <string>

#include "frontend/elaborate/tensors.h"

namespace dlg {

/// Warns of a prediction for which other rows of the batch are read.
void check_prediction_apart(Elaboration& e, ValueId prediction, SourceRange range);

/// Whether each row's share of the metric follows from this row and from what all rows share. The mean over
/// the rows that stands around the whole is the one that is taken anyway. Reports what reads across the
/// batch.
bool check_rows_apart(Elaboration& e, const TensorValue& metric, const Operand& operand,
                      const std::string& name);

}  // namespace dlg
