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

/// a / b in f32, within 0.6 ulp: one division, its rounding and the low parts put right after it.
template <Lane R>
R quotient_f32(Pair<R> a, Pair<R> b) {
  const R inverse = 1.0 / b.high;
  const R first = a.high * inverse;
  const R rest = fused(-first, b.high, a.high) + fused(-first, b.low, a.low);
  return fused(rest, inverse, first);
}

/// e^-|x| in f32 of an x where what is computed from it still changes: up to 105 on the left, `most` on the
/// right.
template <Lane R, class Mask>
ExpF32<R> exp_of_minus(R x, Mask is_left, double most) {
  const R bound = select(is_left, x.constant(-105), x.constant(-most));
  const R minus = -absolute(x);
  return exp_pair_f32(select(minus < bound, bound, minus));
}

/// 1 / (1 + e^-x), within 1 ulp: with e = e^-|x|, 1 / (1 + e) on the right and e / (1 + e) on the left. The
/// power of 2 in e comes last, so that subnormal results are rounded once.
template <Lane R>
R sigmoid_f32(R x) {
  const auto is_left = x < 0.0;
  const ExpF32<R> e = exp_of_minus(x, is_left, 64);
  const R lifted = lifted_power(e.shifted);
  const R power = lifted * (1 / kLift);
  const Pair<R> one = ordered_sum(x.constant(1), e.rest.high);
  const Pair<R> scaled{one.high, one.low + e.rest.low};  // e / power
  const Pair<R> sum = ordered_sum(x.constant(1), power * scaled.high);
  const Pair<R> part{select(is_left, scaled.high, 1.0), select(is_left, scaled.low, 0.0)};
  const R y = quotient_f32(part, Pair<R>{sum.high, fused(power, scaled.low, sum.low)});
  return y * select(is_left, lifted, kLift) * (1 / kLift);
}

/// tanh(x), within 1 ulp: -m / (2 + m) with m = e^(-2 |x|) - 1.
template <Lane R>
R tanh_f32(R x) {
  const ExpF32<R> e = exp_pair_f32(at_most(absolute(x), 10) * -2.0);
  const R power = power_of_two(e.shifted, kF32);
  const Pair<R> base = ordered_sum(x.constant(-1), power);
  const Pair<R> m = ordered_sum(base.high, power * e.rest.high);
  const R m_low = fused(power, e.rest.low, base.low + m.low);
  const Pair<R> sum = ordered_sum(x.constant(2), m.high);
  const R y = quotient_f32(Pair<R>{-m.high, -m_low}, Pair<R>{sum.high, sum.low + m_low});
  return except_near_zero(x, signed_as(y, x, kF32), 0x1p-13);
}

/// log(1 + e^x), within 1 ulp: max(x, 0) + log(1 + e) with e = e^-|x|. From sqrt(2) on the logarithm is that
/// of half of 1 + e and of 2. No square of an f that is small vanishes by rounding: that takes many times as
/// long.
template <Lane R>
R softplus_f32(R x) {
  const ExpF32<R> exp = exp_of_minus(x, x < 0.0, 25);
  const R power = lifted_power(exp.shifted) * (1 / kLift);
  const Pair<R> one = ordered_sum(x.constant(1), exp.rest.high);
  const Pair<R> e{power * one.high, power * (one.low + exp.rest.low)};
  const Pair<R> sum = ordered_sum(x.constant(1), e.high);
  const Pair<R> half = ordered_sum(sum.high * 0.5 - 1.0, (sum.low + e.low) * 0.5);
  const auto is_upper = sum.high > 0x1.6a09e6p0;
  const Pair<R> f{select(is_upper, half.high, e.high), select(is_upper, half.low, e.low)};
  const R k = select(is_upper, x.constant(1), x.constant(0));
  const R large = select(absolute(f.high) > 0x1p-40, f.high, x.constant(0));
  const R tail = fused(large * large, polynomial_constant_last(large, kLogF32), fused(k, kLn2LowF32, f.low));
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
