// Owns the expression of a field: columns of a file, arrays in files or numbers written in place, scaled and
// named.
#pragma once

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// What the text of a field says.
struct FieldText {
  FieldSource source;
  Axes axes;              // of one sample
  bool is_open = false;   // an array without `as`: the first use gives the axes
  std::int64_t rows = 0;  // of numbers written in place
};

/// Evaluates `columns(0..63) / 16 as [pixel]`, `class(column(64))`, `npy("x.npy") as [pixel]`,
/// `npz("a.npz", "x")`, `image / 255 as [pixel]`, `label`, `[[0, 1], [1, 0]]`.
std::optional<FieldText> field_text(Elaboration& e, ast::ExprId id);

}  // namespace dlg
