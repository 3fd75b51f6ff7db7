#include "driver/race/norm.h"

#include <algorithm>
#include <cmath>

namespace dlg {
namespace {

/// Below, squares of what counts may be lost.
constexpr double kSmallestSum = 0x1p-900;

double sum_of_squares(std::span<const double> values, double unit) {
  double sum = 0;
  for (const double x : values) sum += (x / unit) * (x / unit);
  return sum;
}

}  // namespace

double norm_of(std::span<const double> values) {
  const double sum = sum_of_squares(values, 1);
  if (std::isfinite(sum) && sum >= kSmallestSum) return std::sqrt(sum);
  double largest = 0;
  for (const double x : values) largest = std::max(largest, std::abs(x));
  const bool is_lost = std::isfinite(largest) && largest > 0 && !std::isnan(sum);
  return is_lost ? largest * std::sqrt(sum_of_squares(values, largest)) : std::sqrt(sum);
}

}  // namespace dlg
