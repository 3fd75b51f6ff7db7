// Owns the distance between compiled and reference values.
#pragma once

#include <span>

#include "ir/graph/types.h"

namespace dlg {

/// The largest |actual - expected| in units in the last place of `dtype`. The unit is taken at the larger of
/// the element and the root mean square of all elements: where a sum cancels to almost nothing, its last
/// place says nothing.
double worst_ulp(std::span<const double> actual, std::span<const double> expected, DType dtype);

}  // namespace dlg
