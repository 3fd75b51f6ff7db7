// Owns the fuzz target of IDX arrays, packed and not.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/columns.h"
#include "runtime/idx.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dlg::Diagnostics diagnostics;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto rows = dlg::parse_idx(bytes, {"x.gz", "", {}}, diagnostics);
  if (!rows) return 0;
  const dlg::ColumnSpec spec{.name = "d.x",
                             .type = dlg::DType::kF32,
                             .row_elements = rows->row_elements(),
                             .below = {},
                             .range = {},
                             .scale = {.divide = 255}};
  dlg::make_column(spec, {&*rows, 1}, diagnostics);
  return 0;
}
