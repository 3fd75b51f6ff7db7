// Owns the norm of a list of numbers on the host.
#pragma once

#include <span>

namespace dlg {

/// The root of the sum of squares. Where that sum leaves the range of doubles, the numbers are divided by the
/// largest first.
double norm_of(std::span<const double> values);

}  // namespace dlg
