// Owns intervals of whole numbers: what is known of a value before it is computed.
#pragma once

#include <cstdint>
#include <limits>

namespace dlg {

/// All whole numbers from `low` to `high`, both included; by default all there are. Bounds of 2^52 and more
/// count as infinite, so that every finite bound is exact.
struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  static Interval none();
  static Interval of(double value) { return between(value, value); }
  static Interval between(double low, double high);
  /// 0 .. count - 1.
  static Interval below(std::int64_t count);

  bool is_empty() const { return low > high; }
  /// Whether both ends are known.
  bool is_finite() const;
  /// Itself if both ends are known, else all numbers: beyond an open end something may have wrapped around.
  Interval if_finite() const { return is_finite() || is_empty() ? *this : Interval{}; }
  /// Whether every number is an index of an axis of `extent` elements.
  bool is_inside(std::int64_t extent) const;
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// The smallest interval that holds both.
Interval united(Interval a, Interval b);
/// What lies in both.
Interval common(Interval a, Interval b);

// Without wrapping around: a sum of finite bounds may be beyond the type that holds it.
Interval operator-(Interval a);
Interval operator+(Interval a, Interval b);
Interval operator-(Interval a, Interval b);
Interval operator*(Interval a, Interval b);
/// Truncated division by a number above 0; any other divisor may give anything.
Interval quotient(Interval a, Interval b);
Interval absolute(Interval a);
Interval larger(Interval a, Interval b);
Interval smaller(Interval a, Interval b);

}  // namespace dlg
