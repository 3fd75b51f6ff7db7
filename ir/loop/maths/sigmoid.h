// Owns the functions made of exponentials: sigmoid, tanh and softplus.
#pragma once

#include "ir/loop/maths/exp.h"
#include "ir/loop/maths/lane.h"
#include "ir/loop/maths/log.h"

namespace dlg::loop::maths {

/// 2^64: powers of two down to the smallest subnormal number are normal above it.
inline constexpr double kLift = 0x1p64;

/// 2^(n + 64) in f32 for -189 < n < 63; the low bits of `shifted` hold n.
template <Lane R>
R lifted_power(R shifted) {
  constexpr std::uint64_t kStep = std::uint64_t{64} << kF32.mantissa;
  return real_of((bits_of(shifted) << kF32.mantissa) + (kF32.one() + kStep));
}

/// What is added to a number, `late` after the rest; |late| is below |early| / 4 or so.
template <Lane R>
Pair<R> late_sum(R early, R late) {
  const R sum = early + late;
  return {sum, (early - sum) + late};
}

/// c + power (1 + r + tail) for |c| >= power, with the sum of what is known before `tail` apart.
template <Lane R>
struct LateSum {
  R early;
  R late;
};

template <Lane R>
LateSum<R> plus_power(double c, R power, const ExpF32<R>& e) {
  const Pair<R> base = ordered_sum(power.constant(c), power);
  const R early = fused(power, e.r, base.high);
  const R early_low = fused(power, e.r, base.high - early) + base.low;
  return {early, fused(power, e.tail, early_low)};
}

/// scale a / b in f32, within 0.6 ulp, where the scale is a power of 2: one division, its rounding and the
/// low parts put right after it.
template <Lane R>
R scaled_quotient(Pair<R> a, Pair<R> b, R scale) {
  const R inverse = 1.0 / b.high;
  const R first = a.high * inverse;
  const R rest = fused(-first, b.high, a.high) + fused(-first, b.low, a.low);
  return fused(rest, inverse * scale, first * scale);
}

/// 1 / (1 + e^-x), within 1 ulp: with e = e^-|x|, 1 / (1 + e) on the right and e / (1 + e) on the left. The
/// power of 2 in e comes last, so that subnormal results are rounded once; beside the 1 it is not let below
/// 2^-64. Few steps wait for each other: small networks wait for this function.
template <Lane R>
R sigmoid_f32(R x) {
  const auto is_left = x < 0.0;
  const ExpF32<R> e = exp_of_minus_f32(at_most(absolute(x), 105), 1);
  const R power = power_of_two(at_least(e.shifted, kF32.round - 64), kF32);
  const LateSum<R> sum = plus_power(1, power, e);
  const Pair<R> one = ordered_sum(x.constant(1), e.r);
  const R early = select(is_left, one.high, 1.0);
  const R late = select(is_left, one.low + e.tail, 0.0);
  const R scale = select(is_left, lifted_power(e.shifted), kLift);
  return scaled_quotient(late_sum(early, late), late_sum(sum.early, sum.late), scale) * (1 / kLift);
}

/// tanh(x), within 1 ulp: -m / (2 + m) with m = e^(-2 |x|) - 1. Both sums take what comes last at the same
/// time.
template <Lane R>
R tanh_f32(R x) {
  const ExpF32<R> e = exp_of_minus_f32(magnitude_at_most(x, 10), 2);
  const LateSum<R> m = plus_power(-1, power_of_two(e.shifted, kF32), e);
  const Pair<R> two = ordered_sum(x.constant(2), m.early);
  const Pair<R> sum = late_sum(two.high, m.late);
  const R y =
      scaled_quotient(late_sum(m.early, m.late), Pair<R>{sum.high, sum.low + two.low}, x.constant(-1));
  return except_near_zero(x, signed_as(y, x, kF32), 0x1p-13);
}

/// log(1 + e^x), within 1 ulp: max(x, 0) + log(1 + e) with e = e^-|x|. From sqrt(2) on the logarithm is that
/// of half of 1 + e and of 2. No square of an f that is small vanishes by rounding: that takes many times as
/// long.
template <Lane R>
R softplus_f32(R x) {
  const R magnitude = absolute(x);
  const R bound = select(x < 0.0, x.constant(105), x.constant(25));
  const ExpF32<R> exp = exp_of_minus_f32(select(magnitude > bound, bound, magnitude), 1);
  const R power = lifted_power(exp.shifted) * (1 / kLift);
  const Pair<R> one = ordered_sum(x.constant(1), exp.r);
  const Pair<R> unit = late_sum(one.high, one.low + exp.tail);
  const Pair<R> e{power * unit.high, power * unit.low};
  const Pair<R> sum = ordered_sum(x.constant(1), e.high);
  const Pair<R> half = ordered_sum(sum.high * 0.5 - 1.0, (sum.low + e.low) * 0.5);
  const auto is_upper = sum.high > 0x1.6a09e6p0;
  const Pair<R> f{select(is_upper, half.high, e.high), select(is_upper, half.low, e.low)};
  const R k = select(is_upper, x.constant(1), x.constant(0));
  const R large = select(absolute(f.high) > 0x1p-40, f.high, x.constant(0));
  const R square = large * large;
  const R lost = product_error(large, large, square);
  const R low = fused(lost, -0.5, fused(k, kLn2LowF32, f.low));
  const R tail = fused(square, polynomial_constant_last(large, kLogF32), low);
  const Pair<R> log = ordered_sum(k * kLn2HighF32, f.high);
  const Pair<R> y = exact_sum(at_least(x, 0), log.high);
  return select(x < 30.0, y.high + (y.low + (log.low + tail)), x);
}

/// e^r = (q + r p) / (q - r p) for |r| <= ln(2) / 2, p and q in r^2, with an error of 2^-58: tanh(r / 2) = r
/// p / q. The scale keeps p just below 1 and q just below 2, where a rounding is smallest.
inline constexpr std::array kHalfTanhP{0x1.f851eb851eb85p-1, 0x1.c03c6121660fbp-6, 0x1.11086b9ac7491p-14};
inline constexpr std::array kHalfTanhQ{0x1.f851eb851eb85p+0, 0x1.c045b54bc34b3p-3, 0x1.0015b61658e62p-9};

/// 1 / (1 + e^-x), within 2 ulp. With e^-|x| = power above / below the division of the exponential and that
/// of the sigmoid are one: below / (below + power above) on the right, power above / (below + power above) on
/// the left, where what the reduction and the three sums have lost is put right after it, with a straight
/// line for 1 / sum in it. The reduction is exact but for the low part of n ln(2) and, without fma, the
/// rounding of its product, which matter on the left only. Few steps wait for each other: small networks wait
/// for this function.
template <Lane R>
R sigmoid_f64(R x) {
  const R bounded = at_least(-absolute(x), -746);
  const R shifted = fused(bounded, kLog2E, kF64.round);
  const R n = shifted - kF64.round;
  const R r = fused(n, -kLn2, bounded);
  const R square = r * r;
  const R p = polynomial(square, kHalfTanhP);
  const R q = polynomial(square, kHalfTanhQ);
  const R above = fused(r, p, q);
  const R below = fused(-r, p, q);
  const R power = power_to_zero(shifted);
  const R sum = fused(power, above, below);
  const auto is_left = x < 0.0;
  const R y = select(is_left, power * above, below) / sum;
  const R lost_by_reduction = lost_product(n, n.constant(kLn2));
  const R lost_by_both = fused(r, p, q - above) - fused(-r, p, q - below);
  const R lost_by_sum = fused(power, above, below - sum);
  const R line = fused(sum, -0.15, 0.8);
  const R part = fused(-lost_by_sum, line, fused(lost_by_both, line, n * -kLn2Rest - lost_by_reduction));
  return fused(select(is_left, part, 0.0), y, y);
}

/// tanh(x), within 1 ulp: -m / (2 + m) with m = e^(-2 |x|) - 1.
template <Lane R>
R tanh_f64(R x) {
  const ExpF64<R> e = exp_pair_f64(at_most(absolute(x), 20) * -2.0);
  const R power = power_of_two(e.shifted, kF64);
  const Pair<R> base = ordered_sum(x.constant(-1), power);
  const Pair<R> m = ordered_sum(base.high, power * e.rest.high);
  const R m_low = fused(power, e.rest.low, base.low + m.low);
  const Pair<R> sum = ordered_sum(x.constant(2), m.high);
  const R y = quotient(Pair<R>{-m.high, -m_low}, Pair<R>{sum.high, sum.low + m_low});
  return except_near_zero(x, signed_as(y, x, kF64), 0x1p-28);
}

/// log(1 + e^x), within 2 ulp: max(x, 0) + log(1 + e^-|x|).
template <Lane R>
R softplus_f64(R x) {
  const R e = exp_f64(-absolute(x));
  return nan_of(x, select(x > 0.0, x, 0.0) + log1p_of(e));
}

}  // namespace dlg::loop::maths
