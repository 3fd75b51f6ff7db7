// Owns what an elementary function may ask of its numbers, a "lane": one float or double on the host, or an
// LLVM value of any width. Functions are written once over lanes, so all of them give the same bits.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dlg::loop {

/// How a product and a sum meet in `fma`: rounded once, as on targets with the instruction, or twice, as on
/// SSE2.
enum class Fusing : std::uint8_t { kOnce, kTwice };

namespace maths {

/// A lane type R brings, beside + - * / and the unary -:
///   x.constant(c)                   c in the format of x
///   fused(a, b, c)                  a b + c in one rounding (two where the target has no such instruction)
///   product_error(a, b, p)          a b - p without rounding, for p = a b
///   lost_product(a, b)              what `fused` loses of a b: 0 where it rounds once, else the error of a b
///   absolute(x)
///   a < b, a == b, ...              masks, false for NaN, joined by & and |
///   select(mask, a, b)              reals or bits
///   bits_of(x), real_of(bits)       the same bits as an unsigned integer; + - & | ^, << and >> by a constant
///   word_product(bits, factor)      the product of the low 32 bits and `factor`, of f64 lanes in full
///   is_set(bits, one)               whether `bits & one` is not 0, as a mask
///   a < b                           of bits, a mask
///   widened(x), narrowed(x)         f32 to f64 and back
///   patched(mask, usual, unusual)   `usual`, but where the mask is set `unusual()`, which is seldom computed
///   over_table(table, state, step)  state = step(entry, state) for every entry; `state` is an array of R
template <class R>
concept Lane = requires(R x) {
  x.constant(1.0);
};

/// The bit pattern of an IEEE format.
struct Format {
  int mantissa;             // explicit bits
  int bias;                 // of the exponent
  std::uint64_t sign;       // the sign bit
  std::uint64_t root_half;  // the bits of sqrt(1/2)
  double round;             // x + round - round is x rounded to an integer: 1.5 * 2^mantissa
  double integer;           // 2^mantissa: its low bits count units
  double least_normal;
  double scale;  // a power of 2 that lifts every subnormal number to a normal one
  int scale_exponent;

  constexpr std::uint64_t one() const { return static_cast<std::uint64_t>(bias) << mantissa; }
  constexpr std::uint64_t fraction() const { return (std::uint64_t{1} << mantissa) - 1; }
};

inline constexpr Format kF32{23, 127, 0x80000000, 0x3f3504f3, 0x1.8p23, 0x1p23, 0x1p-126, 0x1p23, 23};
inline constexpr Format kF64{
    52, 1023, std::uint64_t{1} << 63, 0x3fe6a09e667f3bcd, 0x1.8p52, 0x1p52, 0x1p-1022, 0x1p52, 52};

// Constants among lanes.
template <Lane R>
R operator+(R a, double b) {
  return a + a.constant(b);
}
template <Lane R>
R operator+(double a, R b) {
  return b.constant(a) + b;
}
template <Lane R>
R operator-(R a, double b) {
  return a - a.constant(b);
}
template <Lane R>
R operator-(double a, R b) {
  return b.constant(a) - b;
}
template <Lane R>
R operator*(R a, double b) {
  return a * a.constant(b);
}
template <Lane R>
R operator/(double a, R b) {
  return b.constant(a) / b;
}
template <Lane R>
auto operator<(R a, double b) {
  return a < a.constant(b);
}
template <Lane R>
auto operator>(R a, double b) {
  return a > a.constant(b);
}
template <Lane R>
auto operator==(R a, double b) {
  return a == a.constant(b);
}
template <Lane R>
R fused(R a, R b, double c) {
  return fused(a, b, a.constant(c));
}
template <Lane R>
R fused(R a, double b, R c) {
  return fused(a, a.constant(b), c);
}
template <Lane R>
R fused(R a, double b, double c) {
  return fused(a, a.constant(b), a.constant(c));
}
template <class Mask, Lane R>
R select(Mask mask, R a, double b) {
  return select(mask, a, a.constant(b));
}
template <class Mask, Lane R>
R select(Mask mask, double a, R b) {
  return select(mask, b.constant(a), b);
}

/// The smaller; NaN for x = NaN.
template <Lane R>
R at_most(R x, double bound) {
  return select(x > bound, bound, x);
}

/// The larger; NaN for x = NaN.
template <Lane R>
R at_least(R x, double bound) {
  return select(x < bound, bound, x);
}

/// |x|, but at most `bound`, which is positive; `bound` for NaN. Bits in place of numbers are compared in one
/// cycle, not four.
template <Lane R>
R magnitude_at_most(R x, double bound) {
  const auto magnitude = bits_of(absolute(x));
  const auto limit = bits_of(x.constant(bound));
  return real_of(select(magnitude < limit, magnitude, limit));
}

/// `magnitude` with the sign of x.
template <Lane R>
R signed_as(R magnitude, R x, const Format& format) {
  return real_of(bits_of(magnitude) | (bits_of(x) & format.sign));
}

/// f(x) = y, but x itself where |x| is not above `bound`: for f(x) = x + o(x) that keeps zeros with their
/// sign, subnormal numbers and NaN.
template <Lane R>
R except_near_zero(R x, R y, double bound) {
  return select(absolute(x) > bound, y, x);
}

/// c[0] + c[1] x + c[2] x^2 + ..., given x, x^2, x^4, ... : the halves do not wait for each other (Estrin).
template <std::size_t count, Lane R>
R polynomial_part(const R* powers, const double* c) {
  if constexpr (count == 1) {
    return powers[0].constant(c[0]);
  } else if constexpr (count == 2) {
    return fused(powers[0], c[1], c[0]);
  } else {
    constexpr std::size_t kHalf = std::bit_floor(count - 1);
    const R low = polynomial_part<kHalf>(powers, c);
    const R high = polynomial_part<count - kHalf>(powers, c + kHalf);
    return fused(powers[std::bit_width(kHalf) - 1], high, low);
  }
}

/// The polynomial with coefficients `c`, the constant one first.
template <Lane R, std::size_t count>
R polynomial(R x, const std::array<double, count>& c) {
  std::array<R, std::bit_width(count - 1)> powers;
  powers[0] = x;
  for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * powers[i - 1];
  return polynomial_part<count>(powers.data(), c.data());
}

/// The polynomial with the constant added last: the sum of all else rounds in smaller numbers.
template <Lane R, std::size_t count>
R polynomial_constant_last(R x, const std::array<double, count>& c) {
  std::array<double, count - 1> others;
  for (std::size_t i = 1; i < count; ++i) others[i - 1] = c[i];
  return fused(x, polynomial(x, others), c[0]);
}

/// high + low, with |low| at most half an ulp of high or so.
template <Lane R>
struct Pair {
  R high;
  R low;
};

/// a + b without rounding, if |a| >= |b| or a = 0.
template <Lane R>
Pair<R> ordered_sum(R a, R b) {
  const R sum = a + b;
  return {sum, (a - sum) + b};
}

/// a + b without rounding.
template <Lane R>
Pair<R> exact_sum(R a, R b) {
  const R sum = a + b;
  const R part = sum - a;
  return {sum, (a - (sum - part)) + (b - part)};
}

/// a b without rounding.
template <Lane R>
Pair<R> exact_product(R a, R b) {
  const R product = a * b;
  return {product, product_error(a, b, product)};
}

/// a / b in one division, its rounding errors and those of the operands corrected: within 0.51 ulp.
template <Lane R>
R quotient(Pair<R> a, Pair<R> b) {
  const R inverse = 1.0 / b.high;
  const R first = a.high * inverse;
  const Pair<R> product = exact_product(first, b.high);
  const R rest = ((a.high - product.high) - product.low) + (a.low - first * b.low);
  return fused(rest, inverse, first);
}

}  // namespace maths
}  // namespace dlg::loop
