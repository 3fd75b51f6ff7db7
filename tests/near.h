// Owns the comparison of two computations of one number.
#pragma once

#include <cmath>

namespace dlg::test {

/// Whether both are NaN, both the same infinity, or both finite and at most `tolerance` apart. A tolerance
/// that is not finite still asks for that much: it never lets a NaN or an infinity pass for a number.
inline bool is_near(double found, double expected, double tolerance) {
  if (std::isnan(found) || std::isnan(expected)) return std::isnan(found) && std::isnan(expected);
  if (std::isinf(found) || std::isinf(expected)) return found == expected;
  return !std::isfinite(tolerance) || std::abs(found - expected) <= tolerance;
}

/// What is left of a number that is kept as f32: infinity, where it is too large.
inline double as_f32(double x) {
  return static_cast<double>(static_cast<float>(x));
}

}  // namespace dlg::test
