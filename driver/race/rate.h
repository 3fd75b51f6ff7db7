// Owns the statistics of one run: how fast it converged, and how often it crossed an axis.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dlg {

/// One run, as its rate is judged.
struct Descent {
  std::vector<double> losses;      // f at steps 0, 1, 2, ...
  std::optional<double> smallest;  // f*: the value of the minimum that this run goes to
  double floor = 0;                // differences of f up to it are rounding, near the minimum
  double end_floor = 0;            // the same at the last point
  double unit = 0x1p-53;           // half an ulp of 1 in the dtype of the run
  std::vector<double> lengths;     // of the steps; empty where they were not kept
  double straightness = 1;  // of the last quarter: the way from its first to its last point over its length
};

/// How the distance e = f - f* from the smallest value falls.
struct Rate {
  enum class Kind : std::uint8_t {
    kUnknown,    // no smallest value, or none of the forms below
    kTooEarly,   // e has not taken a form yet
    kAtOnce,     // the first step lands on the minimum
    kQuadratic,  // each step about squares e
    kLinear,     // each step multiplies e by `factor`
    kPower,      // e falls like n^-`power`: O(1/n)
    kJitters,    // e no longer falls, it rises and falls, or the point moves about at one value
    kStalls,     // nothing moves, and not at the minimum
    kDiverges,   // e grows
  };
  Kind kind = Kind::kUnknown;
  double factor = 0;
  double power = 0;
  std::optional<std::int64_t> rest = {};  // the first step from which on e is rounding or nothing moves
  double error = 0;                       // of `factor`
};

/// The rate of the steps before rounding hides it. What a run does at its end comes first: it grows, it
/// jitters, it stands still away from the minimum.
Rate estimate_rate(const Descent& descent);

/// Whether values grow and as a power of a number would, or are not finite; what this needs to know of a run.
bool does_diverge(const std::vector<double>& losses);

/// Changes of sign of x - axis; zeros do not count.
std::int64_t count_crossings(const std::vector<double>& xs, double axis);

/// "linear", "O(1/n)", "quadratic", "at once", "jitters", "stalls", "diverges", "too early to tell", "-".
std::string rate_text(const Rate& rate);

/// R with as many digits as tell it from 1, but none that `error` hides: "0.9604", "0.999992", "0.90".
std::string factor_text(double factor, double error = 0);

}  // namespace dlg
