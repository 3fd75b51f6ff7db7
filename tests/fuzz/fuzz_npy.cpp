// Owns the fuzz target of npy arrays.
#include <cstddef>
#include <cstdint>

#include "runtime/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dlg::Diagnostics diagnostics;
  const auto array =
      dlg::parse_npy({reinterpret_cast<const char*>(data), size}, {"x.npy", "", {}}, diagnostics);
  if (!array) return 0;
  volatile double last = 0;
  for (std::int64_t i = 0; i < array->elements(); ++i) last = array->element(i);
  return 0;
}
