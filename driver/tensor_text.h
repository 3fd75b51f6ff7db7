// Owns how numbers of a tensor are shown: eight digits after the point, large tensors cut.
#pragma once

#include <span>
#include <string>

#include "ir/graph/types.h"

namespace dlg {

/// "0.59326999"; "-" followed where negative; large and tiny magnitudes in scientific form with eight digits.
std::string value_text(double value);

/// "[0.59326999, 0.59688438]", nested by the axes of `shape`; more than 64 elements are cut with their count.
std::string tensor_text(const Shape& shape, std::span<const double> values);

}  // namespace dlg
