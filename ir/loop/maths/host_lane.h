// Owns the lane of the host: one float or double, and how it multiplies and adds.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <type_traits>

#include "ir/loop/maths/lane.h"

namespace dlg::loop::maths {

/// What a comparison of lanes gives.
using Mask = bool;

/// The bits of a lane.
template <class T, Fusing fusing>
struct HostBits {
  using Integer = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  Integer value;

  static HostBits of(std::uint64_t bits) { return {static_cast<Integer>(bits)}; }
  HostBits constant(std::uint64_t bits) const { return of(bits); }

  friend HostBits operator+(HostBits a, HostBits b) { return {a.value + b.value}; }
  friend HostBits operator+(HostBits a, std::uint64_t b) { return a + of(b); }
  friend HostBits operator-(HostBits a, std::uint64_t b) { return {a.value - of(b).value}; }
  friend HostBits operator&(HostBits a, std::uint64_t b) { return {a.value & of(b).value}; }
  friend HostBits operator|(HostBits a, HostBits b) { return {a.value | b.value}; }
  friend HostBits operator|(HostBits a, std::uint64_t b) { return a | of(b); }
  friend HostBits operator^(HostBits a, HostBits b) { return {a.value ^ b.value}; }
  friend HostBits operator<<(HostBits a, int count) { return {a.value << count}; }
  friend HostBits operator>>(HostBits a, int count) { return {a.value >> count}; }
  friend HostBits word_product(HostBits a, std::uint64_t factor) {
    return {static_cast<Integer>((a.value & 0xffffffff) * factor)};
  }
  friend bool operator<(HostBits a, HostBits b) { return a.value < b.value; }
  friend bool is_set(HostBits a, std::uint64_t one) { return (a.value & of(one).value) != 0; }
  friend HostBits select(Mask mask, HostBits a, HostBits b) { return mask ? a : b; }
};

/// One number.
template <class T, Fusing fusing = Fusing::kOnce>
struct HostLane {
  T value = 0;

  HostLane constant(double c) const { return {static_cast<T>(c)}; }

  friend HostLane operator-(HostLane a) { return {-a.value}; }
  friend HostLane operator+(HostLane a, HostLane b) { return {a.value + b.value}; }
  friend HostLane operator-(HostLane a, HostLane b) { return {a.value - b.value}; }
  friend HostLane operator*(HostLane a, HostLane b) { return {a.value * b.value}; }
  friend HostLane operator/(HostLane a, HostLane b) { return {a.value / b.value}; }
  friend bool operator<(HostLane a, HostLane b) { return a.value < b.value; }
  friend bool operator>(HostLane a, HostLane b) { return a.value > b.value; }
  friend bool operator==(HostLane a, HostLane b) { return a.value == b.value; }

  friend HostLane absolute(HostLane a) { return {std::fabs(a.value)}; }
  friend HostLane select(Mask mask, HostLane a, HostLane b) { return mask ? a : b; }
  friend HostBits<T, fusing> bits_of(HostLane a) {
    return {std::bit_cast<typename HostBits<T, fusing>::Integer>(a.value)};
  }
  friend HostLane<double, fusing> widened(HostLane a) { return {static_cast<double>(a.value)}; }
  friend HostLane<float, fusing> narrowed(HostLane a) { return {static_cast<float>(a.value)}; }

  friend HostLane fused(HostLane a, HostLane b, HostLane c) {
    if constexpr (fusing == Fusing::kTwice) return {a.value * b.value + c.value};
    return {std::fma(a.value, b.value, c.value)};
  }

  /// A target without the fused operation splits the factors instead (Dekker): the same number.
  friend HostLane product_error(HostLane a, HostLane b, HostLane product) {
    return {std::fma(a.value, b.value, -product.value)};
  }

  friend HostLane lost_product(HostLane a, HostLane b) {
    return fusing == Fusing::kTwice ? product_error(a, b, a * b) : HostLane{0};
  }
};

template <class T, Fusing fusing>
HostLane<T, fusing> real_of(HostBits<T, fusing> bits) {
  return {std::bit_cast<T>(bits.value)};
}

template <class T, Fusing fusing, std::size_t count, class Unusual>
std::array<HostLane<T, fusing>, count> patched(Mask mask, const std::array<HostLane<T, fusing>, count>& usual,
                                               const Unusual& unusual) {
  return mask ? unusual() : usual;
}

template <class T, Fusing fusing, std::size_t count, class Step>
std::array<HostLane<T, fusing>, count> over_table(std::span<const double> table,
                                                  std::array<HostLane<T, fusing>, count> state,
                                                  const Step& step) {
  for (const double entry : table) state = step(HostLane<T, fusing>{static_cast<T>(entry)}, state);
  return state;
}

}  // namespace dlg::loop::maths
