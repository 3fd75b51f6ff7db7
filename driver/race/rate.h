// Owns the statistics of one run: how fast it converged, and how often it crossed an axis.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace dlg {

/// How the distance e = f - f* from the smallest value falls.
struct Rate {
  enum class Kind : std::uint8_t {
    kUnknown,    // too few steps, or no smallest value
    kQuadratic,  // each step about squares e
    kLinear,     // each step multiplies e by `factor`
    kPower,      // e falls like n^-`power`: O(1/n)
    kJitters,    // e no longer falls, it rises and falls
    kStalls,     // e stays where it is
    kDiverges,   // e grows
  };
  Kind kind = Kind::kUnknown;
  double factor = 0;
  double power = 0;
};

/// Of the values at steps 0, 1, 2, ... `smallest` is f*.
Rate estimate_rate(const std::vector<double>& losses, double smallest);

/// Changes of sign of x - axis; zeros do not count.
std::int64_t count_crossings(const std::vector<double>& xs, double axis);

/// "linear", "O(1/n)", "quadratic", "jitters", "stalls", "diverges", "-".
std::string rate_text(const Rate& rate);

}  // namespace dlg
