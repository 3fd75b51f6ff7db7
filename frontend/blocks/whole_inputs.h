// Owns what the metrics of whole parts ask of the fields of the data.
#pragma once

#include "frontend/checked_program.h"

namespace dlg {

/// A field that such a metric uses as an index is held to its limits where the data is read, as one that the
/// program itself uses so. Other indices are looked at when the metric is computed.
void limit_whole_inputs(CheckedProgram& program);

}  // namespace dlg
