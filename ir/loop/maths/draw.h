// Owns random numbers as a function of where they are drawn: the numbers of RandomStream (runtime/random.h),
// in lanes.
#pragma once

#include "ir/loop/maths/lane.h"
#include "support/philox.h"

namespace dlg::loop::maths {

/// Two words out of x, rounded to the nearest of 0 .. 2^52 - 1; NaN counts as 0.
template <Lane R>
auto words_of(R x) {
  const R whole = select(x > 0.0, at_most(x, 0x1p52 - 1), 0.0) + 0x1p52;
  const auto bits = bits_of(whole) & kF64.fraction();
  return std::array{bits, bits >> 32};
}

/// The upper 53 bits of two words as a number in [0, 1).
template <Lane R, class Bits>
R unit_of(R like, Bits low, Bits high) {
  const auto whole = [&](Bits bits) { return real_of(bits | bits_of(like.constant(0x1p52))) - 0x1p52; };
  const R upper = whole(high & 0xffffffff) * 0x1p-32;
  return upper + whole((low & 0xffffffff) >> 11) * 0x1p-53;
}

/// The first or second half of the four words at (position, step) of the stream with this key, in f64.
template <int half, Lane R>
R drawn(R position, R step, R key_low, R key_high) {
  const auto [element, element_high] = words_of(position);
  const auto [count, count_high] = words_of(step);
  const auto words = philox_words(std::array{element, element_high, count, count_high},
                                  std::array{words_of(key_low)[0], words_of(key_high)[0]});
  return unit_of(position, words[2 * half], words[2 * half + 1]);
}

/// The nearest number below 1: rounding may give 1.
template <Lane R>
R below_one(R x) {
  return at_most(x, 1 - 0x1p-24);
}

template <int half, Lane R>
R drawn_f32(R position, R step, R key_low, R key_high) {
  return below_one(
      narrowed(drawn<half>(widened(position), widened(step), widened(key_low), widened(key_high))));
}

// What scalar_ops.def names.
template <Lane R>
R draw_first_f32(R position, R step, R low, R high) {
  return drawn_f32<0>(position, step, low, high);
}
template <Lane R>
R draw_first_f64(R position, R step, R low, R high) {
  return drawn<0>(position, step, low, high);
}
template <Lane R>
R draw_second_f32(R position, R step, R low, R high) {
  return drawn_f32<1>(position, step, low, high);
}
template <Lane R>
R draw_second_f64(R position, R step, R low, R high) {
  return drawn<1>(position, step, low, high);
}

}  // namespace dlg::loop::maths
