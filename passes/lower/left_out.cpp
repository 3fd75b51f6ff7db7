#include "passes/lower/left_out.h"

#include <cstdlib>

#include "passes/lower/kernel_builder.h"

namespace dlg {
namespace {

/// The bound i >= sum / divisor, rounded up, with sum = `times` * `rest` + `offset`.
loop::Bound bound_of(const loop::Index& rest, std::int64_t times, std::int64_t offset, std::int64_t divisor) {
  loop::Index sum = loop::fixed_index(offset);
  loop::add_scaled(sum, rest, times);
  return {.value = canonical(std::move(sum)), .rows = 0, .divisor = divisor};
}

}  // namespace

/// With f > 0: rest + f i >= 0 as -rest <= f i, and rest + f i < n as f (i + 1) <= n - 1 - rest + f. With f <
/// 0 and g = -f: g (i + 1) <= rest + g, and rest - n + 1 <= g i.
void add_bounds(loop::Loop& loop, const loop::Index& rest, std::int64_t factor,
                const loop::SumCondition& condition) {
  const std::int64_t size = std::abs(factor);
  const std::int64_t sign = factor > 0 ? 1 : -1;
  const std::int64_t last = condition.below.value_or(1) - 1;
  const loop::Bound from_zero = bound_of(rest, -sign, factor > 0 ? 0 : size, size);
  const loop::Bound below = bound_of(rest, -sign, factor > 0 ? last + size : -last, size);
  if (condition.is_from_zero) (factor > 0 ? loop.lower : loop.upper).push_back(from_zero);
  if (condition.below) (factor > 0 ? loop.upper : loop.lower).push_back(below);
}

}  // namespace dlg
