#include "support/interval.h"

#include <algorithm>
#include <cmath>

namespace dlg {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Beyond it sums of doubles may be rounded.
constexpr double kExact = 0x1p52;

/// Never -0: bounds are shown to people.
double settled(double bound) {
  return std::abs(bound) < kExact ? bound + 0.0 : std::copysign(kInfinity, bound);
}

}  // namespace

Interval Interval::none() {
  return {kInfinity, -kInfinity};
}

Interval Interval::between(double low, double high) {
  if (std::isnan(low) || std::isnan(high)) return {};
  if (low > high) return none();
  Interval interval{settled(low), settled(high)};
  // An end that is infinite on the wrong side says nothing.
  if (interval.low == kInfinity) interval.low = kExact;
  if (interval.high == -kInfinity) interval.high = -kExact;
  return interval;
}

Interval Interval::below(std::int64_t count) {
  return between(0, static_cast<double>(count) - 1);
}

bool Interval::is_finite() const {
  return !is_empty() && std::isfinite(low) && std::isfinite(high);
}

bool Interval::is_inside(std::int64_t extent) const {
  return is_empty() || (low >= 0 && high < static_cast<double>(extent));
}

Interval united(Interval a, Interval b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

Interval common(Interval a, Interval b) {
  const Interval both{std::max(a.low, b.low), std::min(a.high, b.high)};
  return both.is_empty() ? Interval::none() : both;
}

Interval operator-(Interval a) {
  return {0 - a.high, 0 - a.low};
}

Interval operator+(Interval a, Interval b) {
  if (a.is_empty() || b.is_empty()) return Interval::none();
  return Interval::between(a.low + b.low, a.high + b.high);
}

Interval operator-(Interval a, Interval b) {
  return a + -b;
}

Interval operator*(Interval a, Interval b) {
  if (a.is_empty() || b.is_empty()) return Interval::none();
  if (!a.is_finite() || !b.is_finite()) return {};
  const auto [low, high] = std::minmax({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
  return Interval::between(low, high);
}

Interval quotient(Interval a, Interval b) {
  if (a.is_empty() || b.is_empty()) return Interval::none();
  if (b.low < 1 || b.low != b.high) return {};
  return {std::trunc(a.low / b.low) + 0.0, std::trunc(a.high / b.low) + 0.0};
}

Interval absolute(Interval a) {
  if (a.is_empty()) return a;
  if (a.low >= 0) return a;
  if (a.high <= 0) return -a;
  return {0, std::max(-a.low, a.high)};
}

Interval larger(Interval a, Interval b) {
  if (a.is_empty() || b.is_empty()) return Interval::none();
  return {std::max(a.low, b.low), std::max(a.high, b.high)};
}

Interval smaller(Interval a, Interval b) {
  if (a.is_empty() || b.is_empty()) return Interval::none();
  return {std::min(a.low, b.low), std::min(a.high, b.high)};
}

}  // namespace dlg
