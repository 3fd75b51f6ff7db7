#include "ir/loop/ranges.h"

#include "ir/loop/scalar_rules.h"

namespace dlg::loop {
namespace {

bool is_beyond(Interval range, DType dtype) {
  constexpr double kEnd = 0x1p31;
  return dtype == DType::kI32 && range.is_finite() && (range.low < -kEnd || range.high >= kEnd);
}

}  // namespace

Interval range_of_type(DType dtype) {
  if (dtype == DType::kU8) return Interval::below(256);
  return dtype == DType::kBool ? Interval::below(2) : Interval{};
}

Interval range_of_result(Op op, DType dtype, std::span<const Interval> args) {
  if (!is_integer(dtype)) return range_of_type(dtype);
  const auto rule = rule_of(op).range;
  const Interval range = rule == nullptr ? Interval{} : rule(args);
  return is_beyond(range, dtype) ? Interval{} : range;
}

Implied implied_by(Op comparison, Interval left, Interval right) {
  const auto rule = rule_of(comparison).implied;
  return rule == nullptr ? Implied{} : rule(left, right);
}

}  // namespace dlg::loop
