// Owns the functions made of exponentials: sigmoid, tanh and softplus.
#pragma once

#include "ir/loop/maths/exp.h"
#include "ir/loop/maths/lane.h"
#include "ir/loop/maths/log.h"

namespace dlg::loop::maths {

/// 1 / x in f64 with 45 bits for 1 <= x <= 2: a division in f32 and one step of Newton.
template <Lane R>
R inverse_for_f32(R x) {
  const R first = widened(1.0 / narrowed(x));
  return fused(fused(-x, first, 1.0), first, first);
}

/// 1 / (1 + e^-x), within 0.51 ulp: with e = e^-|x|, 1 / (1 + e) on the right and e / (1 + e) on the left.
template <Lane R>
R sigmoid_f32(R x) {
  const auto wide = widened(x);
  const auto e = exp_for_f32(-at_most(absolute(wide), 105)).value();
  const auto right = inverse_for_f32(1.0 + e);
  return narrowed(select(wide < 0.0, e * right, right));
}

/// tanh(x), within 0.51 ulp: -m / (2 + m) with m = e^(-2 |x|) - 1.
template <Lane R>
R tanh_f32(R x) {
  const auto m = exp_for_f32(widened(at_most(absolute(x), 10)) * -2.0).minus_one();
  const R y = narrowed(-m * inverse_for_f32(2.0 + m));
  return except_near_zero(x, signed_as(y, x, kF32), 0x1p-30);
}

/// log(1 + e^x), within 0.51 ulp: max(x, 0) + log(1 + e^-|x|).
template <Lane R>
R softplus_f32(R x) {
  const auto wide = widened(x);
  const auto e = exp_for_f32(-at_most(absolute(wide), 105)).value();
  const auto y = select(wide > 0.0, wide, 0.0) + log1p_for_f32(e);
  return nan_of(x, narrowed(y));
}

/// e^r = (q + r p) / (q - r p) for |r| <= ln(2) / 2, p and q in r^2, with an error of 2^-58: tanh(r / 2) = r
/// p / q. The scale keeps p just below 1 and q just below 2, where a rounding is smallest.
inline constexpr std::array kHalfTanhP{0x1.f851eb851eb85p-1, 0x1.c03c6121660fbp-6, 0x1.11086b9ac7491p-14};
inline constexpr std::array kHalfTanhQ{0x1.f851eb851eb85p+0, 0x1.c045b54bc34b3p-3, 0x1.0015b61658e62p-9};

/// 1 / (1 + e^-x), within 2 ulp. With e^-|x| = power above / below the division of the exponential and that
/// of the sigmoid are one: below / (below + power above) on the right, power above / (below + power above) on
/// the left, where what the reduction and the three sums have lost is put right after it, with a straight
/// line for 1 / sum in it. The reduction is exact but for the low part of n ln(2), which matters on the left
/// only. Few steps wait for each other: small networks wait for this function.
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
  const R lost_by_both = fused(r, p, q - above) - fused(-r, p, q - below);
  const R lost_by_sum = fused(power, above, below - sum);
  const R line = fused(sum, -0.15, 0.8);
  const R part = fused(-lost_by_sum, line, fused(lost_by_both, line, n * -kLn2Rest));
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
