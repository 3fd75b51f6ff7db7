// Owns the fuzz target of npy arrays.
#include <cstddef>
#include <cstdint>

#include "runtime/columns.h"
#include "runtime/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dlg::Diagnostics diagnostics;
  const auto array =
      dlg::parse_npy({reinterpret_cast<const char*>(data), size}, {"x.npy", "", {}}, diagnostics);
  if (!array) return 0;
  const std::int64_t elements = array->row_elements();
  for (const dlg::DType type : {dlg::DType::kI32, dlg::DType::kI64, dlg::DType::kF32, dlg::DType::kF64}) {
    const dlg::ColumnSpec spec{
        .name = "d.x", .type = type, .row_elements = elements, .below = {}, .range = {}};
    dlg::make_column(spec, {&*array, 1}, diagnostics);
  }
  return 0;
}
