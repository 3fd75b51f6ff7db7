// Owns what the emission of kernels must know of a target's vector registers.
#pragma once

#include <cstdint>

namespace dlg {

enum class FmaSupport : std::uint8_t { kNone, kNative };

/// Rows and vectors of a register tile; 0: whatever costs least.
struct TileShape {
  unsigned rows = 0;
  unsigned vectors = 0;
};

/// The vector registers of a target, and the tile that contractions keep in them.
struct VectorUnit {
  FmaSupport fma = FmaSupport::kNone;
  unsigned bytes = 16;
  unsigned registers = 16;
  TileShape tile = {};
};

}  // namespace dlg
