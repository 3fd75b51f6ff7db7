#include "ir/loop/ranges.h"

#include <limits>

namespace dlg::loop {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Args = std::span<const Interval>;

/// Arithmetic with an open end may have wrapped around.
struct ResultRow {
  Op op;
  Interval (*rule)(Args);
};

constexpr ResultRow kResults[] = {
    {Op::kNeg, [](Args a) { return (-a[0]).if_finite(); }},
    {Op::kAbs, [](Args a) { return absolute(a[0]).if_finite(); }},
    {Op::kAdd, [](Args a) { return (a[0] + a[1]).if_finite(); }},
    {Op::kSub, [](Args a) { return (a[0] - a[1]).if_finite(); }},
    {Op::kMul, [](Args a) { return (a[0] * a[1]).if_finite(); }},
    {Op::kDiv, [](Args a) { return quotient(a[0], a[1]); }},
    {Op::kMax, [](Args a) { return larger(a[0], a[1]); }},
    {Op::kMin, [](Args a) { return smaller(a[0], a[1]); }},
    {Op::kSelect, [](Args a) { return united(a[1], a[2]); }},
    {Op::kCast, [](Args a) { return a[0].if_finite(); }},
};

/// The rows of comparisons: what is below the other one's highest, above its lowest.
struct ImpliedRow {
  Op op;
  Implied (*rule)(Interval left, Interval right);
};

Interval at_most(double high) {
  return {-kInfinity, high};
}

Interval at_least(double low) {
  return {low, kInfinity};
}

constexpr ImpliedRow kImplied[] = {
    {Op::kLt,
     [](Interval a, Interval b) {
       return Implied{at_most(b.high - 1), at_least(a.low + 1)};
     }},
    {Op::kLe,
     [](Interval a, Interval b) {
       return Implied{at_most(b.high), at_least(a.low)};
     }},
    {Op::kGt,
     [](Interval a, Interval b) {
       return Implied{at_least(b.low + 1), at_most(a.high - 1)};
     }},
    {Op::kGe,
     [](Interval a, Interval b) {
       return Implied{at_least(b.low), at_most(a.high)};
     }},
    {Op::kEq,
     [](Interval a, Interval b) {
       return Implied{b, a};
     }},
};

bool is_beyond(Interval range, DType dtype) {
  constexpr double kEnd = 0x1p31;
  return dtype == DType::kI32 && range.is_finite() && (range.low < -kEnd || range.high >= kEnd);
}

}  // namespace

Interval range_of_type(DType dtype) {
  return dtype == DType::kBool ? Interval::below(2) : Interval{};
}

Interval range_of_result(Op op, DType dtype, std::span<const Interval> args) {
  if (!is_integer(dtype)) return range_of_type(dtype);
  for (const ResultRow& row : kResults) {
    if (row.op != op) continue;
    const Interval range = row.rule(args);
    return is_beyond(range, dtype) ? Interval{} : range;
  }
  return {};
}

Implied implied_by(Op comparison, Interval left, Interval right) {
  for (const ImpliedRow& row : kImplied) {
    if (row.op == comparison) return row.rule(left, right);
  }
  return {};
}

}  // namespace dlg::loop
