// Owns the logarithms: log and log1p.
#pragma once

#include <limits>

#include "ir/loop/maths/exp.h"
#include "ir/loop/maths/lane.h"

namespace dlg::loop::maths {

/// (log(1 + f) - f) / f^2 for sqrt(1/2) <= 1 + f <= sqrt(2); the error of log is 2^-29 in f32, 2^-30 where
/// f64 serves an f32 result.
inline constexpr std::array kLogF32{-0x1.fffffap-2, 0x1.555552p-2,  -0x1.0003b4p-2,
                                    0x1.99a34p-3,   -0x1.543a06p-3, 0x1.2282f2p-3,
                                    -0x1.0eb652p-3, 0x1.07be06p-3,  -0x1.3949dcp-4};
inline constexpr std::array kLogForF32{-0x1.ffffffd5376c0p-2, 0x1.55554621edf7ap-2,  -0x1.0000117b3d919p-2,
                                       0x1.99a54a6af38bdp-3,  -0x1.555aaaf9246b1p-3, 0x1.232c739ca7867p-3,
                                       -0x1.fc3322ac53f72p-4, 0x1.e786ffef257dcp-4,  -0x1.de51f9cdaf2d4p-4,
                                       0x1.1366ef908cd71p-4};
/// (log((1 + s) / (1 - s)) - 2 s) / s^3 as a polynomial of s^2, for |s| <= 0.1716; error 2^-58.
inline constexpr std::array kLogF64{0x1.5555555555593p-1, 0x1.999999997f981p-2, 0x1.249249423532cp-2,
                                    0x1.c71c51cc3fc3cp-3, 0x1.74664c82577fap-3, 0x1.39a042a60a859p-3,
                                    0x1.2f151cacec7bdp-3};

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// x = 2^exponent mantissa with sqrt(1/2) <= mantissa < sqrt(2).
template <Lane R>
struct Decomposed {
  R exponent;
  R mantissa;
};

/// For normal x > 0.
template <Lane R>
Decomposed<R> decomposed(R x, const Format& format) {
  const auto moved = bits_of(x) + (format.one() - format.root_half);
  const auto count = (moved >> format.mantissa) | bits_of(x.constant(format.integer));
  const auto mantissa = (moved & format.fraction()) + format.root_half;
  return {real_of(count) - (format.integer + format.bias), real_of(mantissa)};
}

/// For x > 0.
template <Lane R>
Decomposed<R> decomposed_with_subnormal(R x, const Format& format) {
  const auto is_subnormal = x < format.least_normal;
  const Decomposed<R> parts = decomposed(select(is_subnormal, x * format.scale, x), format);
  const R correction = select(is_subnormal, x.constant(format.scale_exponent), x.constant(0));
  return {parts.exponent - correction, parts.mantissa};
}

/// y = log(x) where that is finite: else -infinity at 0, infinity at infinity, NaN below 0 and at NaN.
template <Lane R>
R log_with_ends(R x, R y) {
  const R below = select(x == 0.0, x.constant(-kInfinity), x.constant(kNaN));
  return select(x > 0.0, select(x < kInfinity, y, x), below);
}

/// log(x), within 1 ulp.
template <Lane R>
R log_f32(R x) {
  const auto [k, m] = decomposed_with_subnormal(x, kF32);
  const R f = m - 1.0;
  const R tail = fused(f * f, polynomial_constant_last(f, kLogF32), k * kLn2LowF32);
  const Pair<R> sum = ordered_sum(k * kLn2HighF32, f);
  return log_with_ends(x, sum.high + (sum.low + tail));
}

/// k ln(2) + log(1 + f), in f64 with 30 bits, for |k| <= 1100.
template <Lane R>
R log_for_f32(R k, R f) {
  return fused(k, kLn2HighF64, fused(f * f, polynomial(f, kLogForF32), fused(k, kLn2LowF64, f)));
}

/// log(1 + x) with 30 bits in f64 for x > -1 whose f32 form is exact. Where 1 + x needs no exponent, x itself
/// keeps the bits that 1 + x drops.
template <Lane R>
R log1p_for_f32(R x) {
  const auto [k, m] = decomposed(1.0 + x, kF64);
  return log_for_f32(k, select(k == 0.0, x, m - 1.0));
}

/// log(1 + x), within 0.51 ulp.
template <Lane R>
R log1p_f32(R x) {
  const R y = except_near_zero(x, narrowed(log1p_for_f32(widened(x))), 0x1p-30);
  const R below = select(x == -1.0, x.constant(-kInfinity), x.constant(kNaN));
  return select(x > -1.0, select(x < kInfinity, y, x), below);
}

/// k ln(2) + log(1 + f) + rest, within 1 ulp. With s = f / (2 + f), log(1 + f) is f - f^2/2 + s (f^2/2 + s^2
/// R); the difference f - f^2/2 never loses more than it keeps.
template <Lane R>
R log_f64_of(R k, R f, R rest) {
  const R s = f / (2.0 + f);
  const R z = s * s;
  const R half_square = (f * f) * 0.5;
  const R series = s * fused(z, polynomial(z, kLogF64), half_square);
  const R low = fused(k, kLn2LowF64, rest) + series;
  return fused(k, kLn2HighF64, f - (half_square - low));
}

/// log(x), within 1 ulp.
template <Lane R>
R log_f64(R x) {
  const auto [k, m] = decomposed_with_subnormal(x, kF64);
  return log_with_ends(x, log_f64_of(k, m - 1.0, x.constant(0)));
}

/// log(1 + x) for finite x > -1, within 1 ulp. What 1 + x loses is added to the logarithm: of first order, 1
/// / m is near enough to 1.
template <Lane R>
R log1p_of(R x) {
  const R sum = 1.0 + x;
  const auto [k, m] = decomposed(sum, kF64);
  const auto is_plain = k == 0.0;
  const R lost = select(absolute(x) < 1.0, x - (sum - 1.0), 1.0 - (sum - x));
  const R rest = select(is_plain, x.constant(0), lost / sum);
  return log_f64_of(k, select(is_plain, x, m - 1.0), rest);
}

/// log(1 + x), within 1 ulp.
template <Lane R>
R log1p_f64(R x) {
  const R y = except_near_zero(x, log1p_of(x), 0x1p-54);
  const R below = select(x == -1.0, x.constant(-kInfinity), x.constant(kNaN));
  return select(x > -1.0, select(x < kInfinity, y, x), below);
}

}  // namespace dlg::loop::maths
