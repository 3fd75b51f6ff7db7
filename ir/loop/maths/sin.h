// Owns sin and cos: reduction by multiples of pi / 2, exact for every argument, and one kernel for both.
#pragma once

#include <span>

#include "ir/loop/maths/lane.h"
#include "ir/loop/maths/log.h"

namespace dlg::loop::maths {

/// (sin(r) - r) / r^3 and (cos(r) - 1 + r^2 / 2) / r^4 as polynomials of r^2 for |r| <= pi / 4: errors 2^-58
/// and 2^-64, and 2^-37 and 2^-33 where f64 serves an f32 result.
inline constexpr std::array kSinF64{-0x1.5555555555549p-3, 0x1.111111110f893p-7,   -0x1.a01a019c1238cp-13,
                                    0x1.71de3576cd06ep-19, -0x1.ae5e64ab46945p-26, 0x1.5d925bbc8d0f5p-33};
inline constexpr std::array kCosF64{0x1.555555555554cp-5,   -0x1.6c16c16c15211p-10, 0x1.a01a019cbcfa1p-16,
                                    -0x1.27e4f8105d71dp-22, 0x1.1ee9ef6122739p-29,  -0x1.8fb0079763121p-37};
inline constexpr std::array kSinForF32{-0x1.5555554ca5adep-3, 0x1.1111088799e36p-7, -0x1.a00f91c4d8388p-13,
                                       0x1.6cd57f3dd23f1p-19};
inline constexpr std::array kCosForF32{0x1.55554a9f550b8p-5, -0x1.6c0c7ea339f5cp-10, 0x1.99fe7d0bab07cp-16};

inline constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;
/// pi / 2 in parts of 33 bits, whose products with a quadrant below 2^20 are exact, and what is left after
/// one and after three of them.
inline constexpr std::array kHalfPiParts{0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69};
inline constexpr double kHalfPiAfterOne = 0x1.0b4611a626331p-34;
inline constexpr double kHalfPiAfterThree = 0x1.b839a252049c1p-104;
inline constexpr double kHalfPi = 0x1.921fb54442d18p+0;
inline constexpr double kHalfPiRest = 0x1.1a62633145c07p-54;
/// Beyond it the quadrant has more than 20 bits.
inline constexpr double kLargeAngle = 0x1p20;

/// 2 / pi times 2^200 in pieces of 26 bits, as far as the largest double asks.
inline constexpr std::array kTwoOverPiPieces{
    0x1.45f3068p+199, 0x1.7272208p+173, 0x1.4a7f09p+146, 0x1.abe8fa8p+121, 0x1.a6ee06p+93,   0x1.b62959p+68,
    0x1.278872p+43,   0x1.07f944p+14,   0x1.8eaf7ap-10,  0x1.de2b0d8p-35,  0x1.c91b8ep-62,   0x1.2126e9p-87,
    0x1.c00c92p-113,  0x1.77504e8p-139, 0x1.921cfcp-168, 0x1.0ef58ep-191,  0x1.62534ep-217,  0x1.f744118p-243,
    0x1.7d4baep-270,  0x1.a242748p-295, 0x1.38e04dp-321, 0x1.a2fbf2p-347,  0x1.3991d4p-376,  0x1.1cc1a98p-399,
    0x1.cfa4e4p-427,  0x1.17e2ecp-454,  0x1.bf2507p-477, 0x1.8ffc4b8p-503, 0x1.ffbc0bp-529,  0x1.80fef2p-556,
    0x1.e2316bp-581,  0x1.05368f8p-607, 0x1.b4d9fbp-634, 0x1.e4f96p-661,   0x1.36e9e88p-685, 0x1.1fb34fp-711,
    0x1.7fa8b5p-738,  0x1.a93dd6p-763,  0x1.faf97cp-790, 0x1.7b3d07p-816,  0x1.cfbc52p-843,  0x1.292ea6p-868,
    0x1.7f6bf6p-893,  0x1.1f8d5dp-920,  0x1.0ac06p-949};

/// An angle as quadrant pi / 2 + high + low with |high| <= pi / 4: {quadrant + kF64.round, high, low}.
template <Lane R>
using Angle = std::array<R, 3>;

/// Adds `part` quadrants, an exact number, to {whole quadrants modulo 4, fraction, its low part}. Numbers
/// from 2^55 on are multiples of 8; of smaller ones a multiple of 16 is dropped.
template <Lane R>
std::array<R, 3> with_quadrants(const std::array<R, 3>& state, R part) {
  const R many = (part + 0x1.8p56) - 0x1.8p56;
  const R few = select(absolute(part) < 0x1p55, part - many, 0.0);
  const Pair<R> sum = exact_sum(state[1], few);
  const Pair<R> fraction = ordered_sum(sum.high, sum.low + state[2]);
  const R whole = (fraction.high + kF64.round) - kF64.round;
  return {state[0] + whole, fraction.high - whole, fraction.low};
}

/// Reduces any finite x (Payne and Hanek): x times 2 / pi piece by piece, the whole turns of each product
/// dropped. The products are exact, because x is split in halves of 26 and 27 bits.
template <Lane R>
Angle<R> reduced_large_angle(R x) {
  const R small = x * 0x1p-200;
  const R top = real_of(bits_of(small) & ~std::uint64_t{0x7ffffff});
  const R bottom = small - top;
  const R zero = x.constant(0);
  const std::array<R, 3> start{zero, zero, zero};
  const auto sum = over_table(std::span<const double>(kTwoOverPiPieces), start,
                              [&](R piece, const std::array<R, 3>& state) {
                                return with_quadrants(with_quadrants(state, top * piece), bottom * piece);
                              });
  const Pair<R> product = exact_product(sum[1], x.constant(kHalfPi));
  const R rest = product.low + fused(sum[1], kHalfPiRest, sum[2] * kHalfPi);
  const Pair<R> r = ordered_sum(product.high, rest);
  return {sum[0] + kF64.round, r.high, r.low};
}

/// For |x| < kLargeAngle, of an f32: f64 is exact enough without a low part.
template <Lane R>
Angle<R> reduced_angle_for_f32(R x) {
  const R shifted = fused(x, kTwoOverPi, kF64.round);
  const R n = shifted - kF64.round;
  return {shifted, fused(n, -kHalfPiAfterOne, fused(n, -kHalfPiParts[0], x)), x.constant(0)};
}

/// For |x| < kLargeAngle.
template <Lane R>
Angle<R> reduced_angle_f64(R x) {
  const R shifted = fused(x, kTwoOverPi, kF64.round);
  const R n = shifted - kF64.round;
  const Pair<R> second = exact_sum(fused(n, -kHalfPiParts[0], x), n * -kHalfPiParts[1]);
  const Pair<R> third = exact_sum(second.high, n * -kHalfPiParts[2]);
  const R low = fused(n, -kHalfPiAfterThree, third.low + second.low);
  const Pair<R> r = ordered_sum(third.high, low);
  return {shifted, r.high, r.low};
}

/// Of sin and cos of the angle's rest the one that its quadrant asks for, with its sign; a cosine is a sine
/// one quadrant later.
template <Lane R>
R turned(const Angle<R>& angle, std::uint64_t quadrants, R sine, R cosine) {
  const auto quadrant = bits_of(angle[0]) + quadrants;
  const R chosen = select(is_set(quadrant, 1), cosine, sine);
  return real_of(bits_of(chosen) ^ ((quadrant << 62) & kF64.sign));
}

/// The sine of x + quadrants pi / 2, in f64 with 32 bits.
template <Lane R>
R sine_for_f32(R x, std::uint64_t quadrants) {
  const Angle<R> angle =
      patched(absolute(x) > kLargeAngle, reduced_angle_for_f32(x), [&] { return reduced_large_angle(x); });
  const R r = angle[1];
  const R z = r * r;
  const R sine = fused(r * z, polynomial(z, kSinForF32), r);
  const R cosine = fused(z * z, polynomial(z, kCosForF32), fused(z, -0.5, 1.0));
  return turned(angle, quadrants, sine, cosine);
}

/// The sine of x + quadrants pi / 2 within 1 ulp.
template <Lane R>
R sine_f64(R x, std::uint64_t quadrants) {
  const Angle<R> angle =
      patched(absolute(x) > kLargeAngle, reduced_angle_f64(x), [&] { return reduced_large_angle(x); });
  const R r = angle[1];
  const R z = r * r;
  const R low = angle[2] * fused(z, -0.5, 1.0);
  const R sine = r + fused(r * z, polynomial(z, kSinF64), low);
  const Pair<R> near = ordered_sum(x.constant(1), z * -0.5);
  const R tail = fused(z * z, polynomial(z, kCosF64), -(r * angle[2]));
  return turned(angle, quadrants, sine, near.high + (near.low + tail));
}

/// sin(x), within 0.51 ulp; NaN for infinities.
template <Lane R>
R sin_f32(R x) {
  const R y = except_near_zero(x, narrowed(sine_for_f32(widened(x), 0)), 0x1p-30);
  return select(absolute(x) < kInfinity, y, kNaN);
}

template <Lane R>
R sin_f64(R x) {
  const R y = except_near_zero(x, sine_f64(x, 0), 0x1p-28);
  return select(absolute(x) < kInfinity, y, kNaN);
}

/// cos(x), within 0.51 ulp; NaN for infinities.
template <Lane R>
R cos_f32(R x) {
  return select(absolute(x) < kInfinity, narrowed(sine_for_f32(widened(x), 1)), kNaN);
}

template <Lane R>
R cos_f64(R x) {
  return select(absolute(x) < kInfinity, sine_f64(x, 1), kNaN);
}

}  // namespace dlg::loop::maths
