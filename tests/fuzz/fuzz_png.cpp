// Owns the fuzz target of PNG pictures.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/png.h"
#include "tests/fuzz/read_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dlg::Diagnostics diagnostics;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  dlg::make_scaled_column(dlg::parse_png(bytes, {"x.png", "", {}}, diagnostics), diagnostics);
  return 0;
}
