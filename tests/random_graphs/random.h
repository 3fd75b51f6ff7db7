// Owns the random numbers of the graph generator: the same on every machine.
#pragma once

#include <cstdint>
#include <vector>

namespace dlg::test {

/// Splitmix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9e3779b97f4a7c15ull;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30u)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27u)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31u);
  }
  /// 0 .. count - 1.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(bits() % count); }
  double uniform(double low, double high) {
    return low + (high - low) * (static_cast<double>(bits() >> 11u) * 0x1p-53);
  }
  bool chance(double probability) { return uniform(0, 1) < probability; }

  template <class T>
  const T& pick(const std::vector<T>& items) {
    return items[below(items.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace dlg::test
