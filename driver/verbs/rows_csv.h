// Owns rows that a program computed as CSV, one line for each.
#pragma once

#include <string>

#include "runtime/evaluate.h"
#include "runtime/run_folder.h"

namespace dlg {

/// The numbers of an output that was collected per row, `width` of them in a row; row-major.
std::vector<double> row_values(const OutputValues& output, std::size_t width);

/// One line per row. Where the run has as many class names as numbers in a row, they are the header, behind a
/// column with the class of the largest number.
std::string class_csv(const RunRecord& record, const OutputValues& output, std::int64_t width);

/// One line per row, the numbers alone: y0, y1, ...
std::string plain_csv(const OutputValues& output, std::int64_t width);

}  // namespace dlg
