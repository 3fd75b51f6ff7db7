// Owns the ceilings of one core as one line of JSON: multiply-adds, and updates of memory in and beyond its
// caches.
#include <fmt/format.h>

#include "bench/peak.h"

int main() {
  using namespace dlg::bench;
  constexpr std::size_t kMebi = 1 << 20;
  fmt::print("{{\"fma_gflops\": {:.1f}, \"near_gbs\": {:.1f}, \"far_gbs\": {:.1f}}}\n", multiply_add_rate(),
             update_rate(4 * kMebi), update_rate(256 * kMebi));
}
