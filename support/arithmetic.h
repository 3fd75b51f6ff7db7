// Owns checked arithmetic on sizes: a product or sum that wraps is reported, never used.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "support/check.h"

namespace dlg {

inline std::optional<std::int64_t> checked_mul(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return std::nullopt;
  return result;
}

inline std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_add_overflow(a, b, &result)) return std::nullopt;
  return result;
}

/// The sum of two sizes that an earlier check has bounded: if it wraps after all, dlg is wrong.
inline std::int64_t add_sizes(std::int64_t a, std::int64_t b) {
  const std::optional<std::int64_t> sum = checked_add(a, b);
  DLG_CHECK(sum.has_value(), "a sum of sizes has more than 63 bits");
  return *sum;
}

/// The product of two sizes that an earlier check has bounded.
inline std::int64_t multiply_sizes(std::int64_t a, std::int64_t b) {
  const std::optional<std::int64_t> product = checked_mul(a, b);
  DLG_CHECK(product.has_value(), "a product of sizes has more than 63 bits");
  return *product;
}

/// The product, or the nearest number of 64 bits: for what is compared with limits.
inline std::int64_t saturated_mul(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return checked_mul(a, b).value_or((a < 0) == (b < 0) ? kMost : -kMost);
}

/// The sum, likewise.
inline std::int64_t saturated_add(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  return checked_add(a, b).value_or(a > 0 ? kMost : -kMost);
}

/// The quotient rounded down and up; the divisor is above 0.
inline std::int64_t floor_div(std::int64_t a, std::int64_t divisor) {
  return a / divisor - (a % divisor < 0 ? 1 : 0);
}

inline std::int64_t ceil_div(std::int64_t a, std::int64_t divisor) {
  return a / divisor + (a % divisor > 0 ? 1 : 0);
}

/// The smallest multiple of `step` that is not below `size`.
inline std::int64_t rounded_up(std::int64_t size, std::int64_t step) {
  return add_sizes(size, step - 1) / step * step;
}

}  // namespace dlg
