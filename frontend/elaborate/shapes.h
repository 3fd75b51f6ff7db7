// Owns expressions that move elements: indices, slices, `as`, transpose, chunk, spread.
#pragma once

#include "frontend/elaborate/tensors.h"

namespace dlg {

/// `base[i, a..b]`: constant indices from 0; an index drops its axis, a slice includes both ends.
Value index_value(Elaboration& e, const Operand& base, const ast::Expr& expr);

/// `base as [axes]`: row-major, of equal count; one size may be left to infer.
Value reshaped(Elaboration& e, const Operand& base, const ast::Expr& expr);

/// The same elements under other axes; their counts must be equal.
TensorValue with_axes(Elaboration& e, const TensorValue& tensor, Axes axes);

/// Elements [start, start + size) of one axis.
TensorValue cut(Elaboration& e, const TensorValue& tensor, std::size_t axis, std::int64_t start,
                std::int64_t size);

/// The axes of an `as`, for a value of `count` elements. Errors: unknown names, counts that differ.
std::optional<Axes> as_axes(Elaboration& e, const ast::Expr& expr, const Axes& from);

/// The axes of an `as` that says all sizes. Errors: unknown names, a size left to infer.
std::optional<Axes> given_axes(Elaboration& e, const ast::Expr& expr);

}  // namespace dlg
