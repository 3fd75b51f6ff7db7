// Owns what the fuzz targets of readers do with rows that a reader answered.
#pragma once

#include <optional>

#include "runtime/columns.h"

namespace dlg {

/// Makes of them what a program with `/ 255` reads; nothing if the reader refused the file.
inline void make_scaled_column(const std::optional<StoredRows>& rows, Diagnostics& diagnostics) {
  if (!rows) return;
  const ColumnSpec spec{.name = "d.x",
                        .type = DType::kF32,
                        .row_elements = rows->row_elements(),
                        .below = {},
                        .range = {},
                        .scale = {.divide = 255}};
  make_column(spec, {&*rows, 1}, diagnostics);
}

}  // namespace dlg
