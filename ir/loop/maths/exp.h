// Owns the exponential functions: exp and expm1, and the reduction that sigmoid, tanh and pow share.
#pragma once

#include "ir/loop/maths/lane.h"

namespace dlg::loop::maths {

/// (e^r - 1 - r) / r^2 for |r| <= ln(2) / 2; with r^2 before it the error is 2^-28 in f32, 2^-55 in f64, and
/// 2^-32 where f64 serves an f32 result.
inline constexpr std::array kExpF32{0x1p-1, 0x1.55548ep-3, 0x1.5554d6p-5, 0x1.123c2ap-7, 0x1.6d619ep-10};
inline constexpr std::array kExpForF32{0x1.00000028aac2ap-1, 0x1.5555557f9fa61p-3,  0x1.5554ac0331f2bp-5,
                                       0x1.11109e1bd3af3p-7, 0x1.6d763231113bbp-10, 0x1.a18cd22efcf28p-13};
inline constexpr std::array kExpF64{0x1.0000000000005p-1,  0x1.555555555555cp-3,  0x1.55555555520c8p-5,
                                    0x1.111111110e807p-7,  0x1.6c16c17f4874dp-10, 0x1.a01a01b572b28p-13,
                                    0x1.a019a64712a00p-16, 0x1.71ddeae337fefp-19, 0x1.28a2f2a3a152ep-22,
                                    0x1.af75543a45175p-26};

inline constexpr double kLog2E = 0x1.71547652b82fep+0;
inline constexpr double kLn2 = 0x1.62e42fefa39efp-1;
inline constexpr double kLn2Rest = 0x1.abc9e3b39803fp-56;  // ln(2) - kLn2
inline constexpr double kLn2F32 = 0x1.62e43p-1;
inline constexpr double kLn2RestF32 = -0x1.05c611p-29;  // ln(2) - kLn2F32
/// ln(2) in two parts; a multiple of the first by any exponent is exact.
inline constexpr double kLn2HighF32 = 0x1.62e4p-1;
inline constexpr double kLn2LowF32 = 0x1.7f7d1cp-20;
inline constexpr double kLn2HighF64 = 0x1.62e42feep-1;
inline constexpr double kLn2LowF64 = 0x1.a39ef35793c76p-33;

/// x = n ln(2) + r.high + r.low with an integer n, |r| <= ln(2) / 2. The low bits of `shifted` hold n.
template <Lane R>
struct ExpReduction {
  R shifted;
  R n;
  Pair<R> r;
};

template <Lane R>
ExpReduction<R> reduced_for_exp(R x, const Format& format) {
  const bool is_f32 = format.mantissa == kF32.mantissa;
  const double low = is_f32 ? kLn2LowF32 : kLn2LowF64;
  const R shifted = fused(x, kLog2E, format.round);
  const R n = shifted - format.round;
  const R rough = fused(n, -(is_f32 ? kLn2HighF32 : kLn2HighF64), x);
  const R r = fused(n, -low, rough);
  return {shifted, n, {r, fused(n, -low, rough - r)}};
}

/// 2^n for an n whose result is normal; the low bits of `shifted` hold n.
template <Lane R>
R power_of_two(R shifted, const Format& format) {
  return real_of((bits_of(shifted) << format.mantissa) + format.one());
}

/// 2^n in f64 for -1100 <= n <= 0, 0 below the smallest number; the low bits of `shifted` hold n.
template <Lane R>
R power_to_zero(R shifted) {
  constexpr std::uint64_t kStep = std::uint64_t{512} << kF64.mantissa;
  const auto exponent = bits_of(shifted) << kF64.mantissa;
  return real_of(exponent + (kStep + kF64.one())) * 0x1p-512;
}

/// y 2^n, rounded once, for 1/2 <= y < sqrt(2) and results from 0 to infinity: a power whose product with y
/// is exact, then what is left. Both are known before y is. Where the result is 0 what is left is 0: a
/// product that vanishes by rounding takes many times as long as any other.
template <Lane R>
R scaled(R y, R shifted, const Format& format) {
  const bool is_f32 = format.mantissa == kF32.mantissa;
  const std::uint64_t step = std::uint64_t{is_f32 ? 64u : 512u} << format.mantissa;
  const double factor = is_f32 ? 0x1p64 : 0x1p512;
  const auto is_negative = shifted < format.round;
  const auto exponent = bits_of(shifted) << format.mantissa;
  const auto towards_one = select(is_negative, exponent.constant(step), exponent.constant(0 - step));
  const auto is_zero = shifted < format.round - (format.bias + format.mantissa);
  const R down = select(is_zero, 0.0, y.constant(1 / factor));
  const R rest = select(is_negative, down, y.constant(factor));
  return y * real_of(exponent + towards_one + format.one()) * rest;
}

/// NaN where x is: the scaling by bits would lose it.
template <Lane R>
R nan_of(R x, R y) {
  return select(x == x, y, x);
}

/// e^x, within 1 ulp. The low part of n ln(2) joins r^2 q(r), so that r itself brings no error.
template <Lane R>
R exp_f32(R x) {
  const R bounded = at_least(at_most(x, 89), -105);
  const R shifted = fused(bounded, kLog2E, kF32.round);
  const R n = shifted - kF32.round;
  const R high = fused(n, -kLn2HighF32, bounded);
  const R low = n * -kLn2LowF32;
  const R r = high + low;
  const R y = 1.0 + (high + fused(r * r, polynomial(r, kExpF32), low));
  return scaled(y, shifted, kF32);
}

/// e^x = 2^n (1 + r + tail) in f32 with 27 bits, |r| <= ln(2) / 2, |tail| <= r^2 / 2 or so; the low bits of
/// `shifted` hold n.
template <Lane R>
struct ExpF32 {
  R shifted;
  R r;
  R tail;
};

/// e^(-factor t) for 0 <= factor t <= 105 and a factor that is a power of 2. Few steps wait for each other:
/// with fma the reduction is exact but for the low part of n ln(2), whose product with e^r joins the tail.
template <Lane R>
ExpF32<R> exp_of_minus_f32(R t, double factor) {
  const R shifted = fused(t, -factor * kLog2E, kF32.round);
  const R n = shifted - kF32.round;
  const R r = fused(n, -kLn2F32, t * -factor);
  const R low = fused(n, n.constant(-kLn2RestF32), -lost_product(n, n.constant(kLn2F32)));
  const R square = r * r;
  const R first = fused(r, kExpF32[1], kExpF32[0]);
  const R second = fused(square, kExpF32[4], fused(r, kExpF32[3], kExpF32[2]));
  return {shifted, r, fused(square * square, second, fused(square, first, fused(low, r, low)))};
}

/// e^x, within 1 ulp.
template <Lane R>
R exp_f64(R x) {
  const auto [shifted, n, r] = reduced_for_exp(at_least(at_most(x, 710), -746), kF64);
  const R y = 1.0 + (r.high + fused(r.high * r.high, polynomial(r.high, kExpF64), r.low));
  return scaled(y, shifted, kF64);
}

/// e^x = power (1 + rest), in f64 with 32 bits, for -708 <= x <= 709.
template <Lane R>
struct ExpForF32 {
  R power;
  R rest;

  R value() const { return fused(power, rest, power); }
  R minus_one() const { return fused(power, rest, power - 1.0); }
};

template <Lane R>
ExpForF32<R> exp_for_f32(R x) {
  const R shifted = fused(x, kLog2E, kF64.round);
  const R n = shifted - kF64.round;
  const R r = fused(n, -kLn2, x);
  return {power_of_two(shifted, kF64), fused(r * r, polynomial(r, kExpForF32), r)};
}

/// e^x - 1, within 0.51 ulp.
template <Lane R>
R expm1_f32(R x) {
  const R y = narrowed(exp_for_f32(widened(at_least(at_most(x, 89), -20))).minus_one());
  return except_near_zero(x, y, 0x1p-30);
}

/// e^x - 1 = power (rest.high + rest.low) + (power - 1) with power = 2^n.
template <Lane R>
struct ExpF64 {
  R shifted;
  R n;
  Pair<R> rest;
};

template <Lane R>
ExpF64<R> exp_pair_f64(R x) {
  const auto [shifted, n, r] = reduced_for_exp(x, kF64);
  const R tail = fused(r.high * r.high, polynomial(r.high, kExpF64), r.low);
  return {shifted, n, ordered_sum(r.high, tail)};
}

/// e^x - 1, within 1 ulp. Twice the half of it: the power 2^1024 has no number.
template <Lane R>
R expm1_f64(R x) {
  const ExpF64<R> e = exp_pair_f64(at_least(at_most(x, 710), -40));
  const R half = real_of((bits_of(e.shifted) << kF64.mantissa) + (kF64.one() - (kF64.fraction() + 1)));
  const Pair<R> sum = ordered_sum(half - 0.5, half * e.rest.high);
  const R y = (sum.high + fused(half, e.rest.low, sum.low)) * 2.0;
  return except_near_zero(x, y, 0x1p-54);
}

}  // namespace dlg::loop::maths
