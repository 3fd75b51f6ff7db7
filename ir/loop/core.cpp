#include "ir/loop/core.h"

#include <algorithm>
#include <array>

namespace dlg::loop {
namespace {

constexpr std::array kCores{
    Core{.name = "avx512", .fma = FmaSupport::kNative, .vector_bytes = 64, .registers = 32},
    Core{.name = "avx2", .fma = FmaSupport::kNative, .vector_bytes = 32, .registers = 16},
    Core{.name = "sse2", .fma = FmaSupport::kNone, .vector_bytes = 16, .registers = 16},
};

}  // namespace

std::span<const Core> cores() {
  return kCores;
}

const Core* find_core(std::string_view name) {
  const auto found =
      std::find_if(kCores.begin(), kCores.end(), [&](const Core& core) { return core.name == name; });
  return found == kCores.end() ? nullptr : &*found;
}

}  // namespace dlg::loop
