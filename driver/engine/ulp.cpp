#include "driver/engine/ulp.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace dlg {
namespace {

/// One unit in the last place at `magnitude`.
double unit_at(double magnitude, DType dtype) {
  const bool is_f32 = dtype == DType::kF32;
  const int digits = is_f32 ? std::numeric_limits<float>::digits : std::numeric_limits<double>::digits;
  const int lowest =
      is_f32 ? std::numeric_limits<float>::min_exponent : std::numeric_limits<double>::min_exponent;
  int exponent = 0;
  std::frexp(magnitude, &exponent);
  return std::ldexp(1.0, std::max(exponent, lowest) - digits);
}

}  // namespace

double worst_ulp(std::span<const double> actual, std::span<const double> expected, DType dtype) {
  double squares = 0;
  for (const double value : expected) squares += value * value;
  const double scale = expected.empty() ? 0 : std::sqrt(squares / static_cast<double>(expected.size()));
  double worst = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (actual[i] == expected[i] || (std::isnan(actual[i]) && std::isnan(expected[i]))) continue;
    const double distance = std::abs(actual[i] - expected[i]);
    const double unit = unit_at(std::max(std::abs(expected[i]), std::isfinite(scale) ? scale : 0), dtype);
    worst = std::isnan(distance) ? std::numeric_limits<double>::infinity() : std::max(worst, distance / unit);
  }
  return worst;
}

}  // namespace dlg
