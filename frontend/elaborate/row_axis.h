// Owns the axis of all rows in a `whole fn`: an axis like others but for its size, which only a part of the
// data has.
#pragma once

#include <string>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

inline bool is_row_axis(const Axis& axis) {
  return axis.size == kBatch;
}

bool has_row_axis(const Axes& axes);

/// Reports what needs the sizes of `axes` where the rows are one of them. `what` is how it is written:
/// "`as`".
bool check_sizes_known(Elaboration& e, const Axes& axes, const std::string& what, SourceRange range);

/// Reports the name of the row axis in the place of a number.
void report_rows_as_number(Elaboration& e, const std::string& name, SourceRange range);

}  // namespace dlg
