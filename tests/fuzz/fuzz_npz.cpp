// Owns the fuzz target of npz archives.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/npz.h"
#include "tests/fuzz/read_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dlg::Diagnostics diagnostics;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  dlg::make_scaled_column(dlg::parse_npz(bytes, {{"a.npz", "", {}}, "x", {}}, diagnostics), diagnostics);
  return 0;
}
