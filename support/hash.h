// Owns how hashes are joined.
#pragma once

#include <cstddef>

namespace dlg {

/// Makes `seed` depend on `value` too. Source: Boost.ContainerHash, hash_combine.
inline void mix_hash(std::size_t& seed, std::size_t value) {
  seed ^= value + 0x9e3779b97f4a7c15ull + (seed << 6u) + (seed >> 2u);
}

}  // namespace dlg
