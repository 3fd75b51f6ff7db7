// Owns what the emission of kernels must know of a target's vector registers.
#pragma once

#include <cstdint>

namespace dlg {

enum class FmaSupport : std::uint8_t { kNone, kNative };

/// The vector registers of a target.
struct VectorUnit {
  FmaSupport fma = FmaSupport::kNone;
  unsigned bytes = 16;
  unsigned registers = 16;
};

}  // namespace dlg
