// Owns the packing of lifetimes into one block of memory.
#pragma once

#include <cstdint>
#include <vector>

namespace dlg {

/// Memory that is needed from group `first` to group `last`, both included.
struct Lifetime {
  std::int64_t bytes = 0;
  std::size_t first = 0;
  std::size_t last = 0;
};

struct ArenaPlacement {
  std::vector<std::int64_t> offsets;  // one per lifetime, each a multiple of `alignment`
  std::int64_t bytes = 0;
};

/// Places each lifetime at the lowest offset that is free while it lasts. Tries the lifetimes by size, by
/// length and by first use and keeps the smallest arena.
ArenaPlacement place_lifetimes(const std::vector<Lifetime>& lifetimes, std::int64_t alignment);

/// The largest sum of bytes that live at the same time: no arena is smaller.
std::int64_t most_live_bytes(const std::vector<Lifetime>& lifetimes);

}  // namespace dlg
