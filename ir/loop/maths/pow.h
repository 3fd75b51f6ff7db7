// Owns pow: e^(y log x) with the logarithm in more bits than the result, and the special cases of IEEE 754.
#pragma once

#include "ir/loop/maths/exp.h"
#include "ir/loop/maths/lane.h"
#include "ir/loop/maths/log.h"

namespace dlg::loop::maths {

/// (log(1 + f) - f) / f^2 for sqrt(1/2) <= 1 + f <= sqrt(2), error 2^-38.
inline constexpr std::array kLogForPowF32{-0x1.fffffffeebdf1p-2, 0x1.555555654047fp-2,  -0x1.0000015ab904bp-2,
                                          0x1.9999888ab601bp-3,  -0x1.555467c2bebfcp-3, 0x1.2494e54f761d2p-3,
                                          -0x1.0022ca51ec162p-3, 0x1.c6e427f82e51bp-4,  -0x1.94b1e73bac2c7p-4,
                                          0x1.71dece7c31618p-4,  -0x1.7db8b81cd296ap-4, 0x1.77d62bb0ed8c1p-4,
                                          -0x1.8c7a2f5d6f032p-5};
/// (log((1 + s) / (1 - s)) - 2 s - 2/3 s^3) / s^5 as a polynomial of s^2 for |s| <= 0.1716, error 2^-65.
inline constexpr std::array kLogForPowF64{0x1.9999999999b36p-2, 0x1.249249245719bp-2, 0x1.c71c722e78a04p-3,
                                          0x1.745ce981ccbabp-3, 0x1.3b1efe3d18a6dp-3, 0x1.0f7e33f861a0fp-3,
                                          0x1.0e53030e835bbp-3};
inline constexpr double kTwoThirds = 0x1.5555555555555p-1;
inline constexpr double kTwoThirdsRest = 0x1.5555555555555p-55;

template <Lane R>
auto is_integer(R magnitude, const Format& format) {
  const R rounded = (magnitude + format.integer) - format.integer;
  return (rounded == magnitude) | (magnitude > format.integer);
}

/// x^y from |x|^y, which is right for positive finite x and any y: signs, zeros, infinities, NaN.
template <Lane R>
R pow_with_ends(R x, R y, R magnitude, const Format& format) {
  const R base = absolute(x);
  const R exponent = absolute(y);
  const auto whole = is_integer(exponent, format);
  const R up = select(y > 0.0, y.constant(kInfinity), y.constant(0));
  const R down = select(y > 0.0, y.constant(0), y.constant(kInfinity));
  R result = select(base == 0.0, down, select(base == kInfinity, up, magnitude));
  const auto is_negative = (x < 0.0) & (base < kInfinity);
  result = select(is_negative, select(whole, result, kNaN), result);
  const auto none = bits_of(x.constant(0));
  const auto sign = select(whole, bits_of(x) & format.sign, none);
  const auto odd_sign = select(is_integer(exponent * 0.5, format), none, sign);
  result = real_of(bits_of(result) | odd_sign);
  result = nan_of(y, nan_of(x, result));
  return select(x == 1.0, 1.0, select(y == 0.0, 1.0, result));
}

/// x^y, within 0.51 ulp.
template <Lane R>
R pow_f32(R x, R y) {
  const auto [k, m] = decomposed(widened(absolute(x)), kF64);
  const auto f = m - 1.0;
  const auto near = fused(k, kLn2LowF64, f);
  const auto log = fused(k, kLn2HighF64, fused(f * f, polynomial(f, kLogForPowF32), near));
  // Beyond 2^40 every power of a base other than 1 has overflowed or vanished.
  const auto bounded = widened(at_least(at_most(y, 0x1p40), -0x1p40));
  const auto e = exp_for_f32(at_least(at_most(bounded * log, 100), -110));
  return pow_with_ends(x, y, narrowed(e.value()), kF32);
}

/// log(x) for x > 0 with 65 bits. With s = f / (2 + f), log(1 + f) = 2 s + s^3 (2/3 + s^2 P); all but P in
/// pairs.
template <Lane R>
Pair<R> log_pair(R x) {
  const auto [k, m] = decomposed_with_subnormal(x, kF64);
  const R f = m - 1.0;
  const Pair<R> divisor = exact_sum(m, m.constant(1));
  const R inverse = 1.0 / divisor.high;
  const R s = f * inverse;
  const Pair<R> back = exact_product(s, divisor.high);
  const R s_low = (((f - back.high) - back.low) - s * divisor.low) * inverse;
  Pair<R> square = exact_product(s, s);
  square.low = fused(s + s, s_low, square.low);
  Pair<R> factor = ordered_sum(x.constant(kTwoThirds), square.high * polynomial(square.high, kLogForPowF64));
  factor.low = factor.low + kTwoThirdsRest + square.low * kLogForPowF64[0];
  Pair<R> cube = exact_product(s, square.high);
  cube.low = cube.low + fused(s, square.low, s_low * square.high);
  Pair<R> term = exact_product(cube.high, factor.high);
  term.low = term.low + fused(cube.high, factor.low, cube.low * factor.high);
  const Pair<R> series = ordered_sum(s + s, term.high);
  const R series_low = series.low + (fused(s_low, 2.0, term.low));
  const Pair<R> sum = ordered_sum(k * kLn2HighF64, series.high);
  return ordered_sum(sum.high, sum.low + fused(k, kLn2LowF64, series_low));
}

/// x^y, within 1 ulp.
template <Lane R>
R pow_f64(R x, R y) {
  const Pair<R> log = log_pair(absolute(x));
  // Beyond 2^64 every power of a base other than 1 has overflowed or vanished.
  const R bounded = at_least(at_most(y, 0x1p64), -0x1p64);
  const Pair<R> product = exact_product(bounded, log.high);
  const R low = fused(bounded, log.low, product.low);
  const R power = at_least(at_most(product.high, 710), -746);
  const auto [shifted, n, rough] = reduced_for_exp(power, kF64);
  const Pair<R> r = exact_sum(rough.high, rough.low + select(power == product.high, low, 0.0));
  const R e = 1.0 + (r.high + fused(r.high * r.high, polynomial(r.high, kExpF64), r.low));
  return pow_with_ends(x, y, scaled(e, shifted, kF64), kF64);
}

}  // namespace dlg::loop::maths
