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

/// 1 / (1 + e^-x), within 2 ulp: with e = e^-|x|, 1 / (1 + e) on the right and e / (1 + e) on the left. What
/// the sum 1 + e has lost is put right after the division, with a straight line for 1 / (1 + e) in it.
template <Lane R>
R sigmoid_f64(R x) {
  const R e = bounded_exp_f64(-at_most(absolute(x), 746));
  const R sum = 1.0 + e;
  const R lost = (e - (sum - 1.0)) * fused(sum, -0.5, 1.457);
  const R y = select(x < 0.0, e, 1.0) / sum;
  return fused(-lost, y, y);
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
