// Owns the small vocabulary in which the element rules of ops are written.
#pragma once

#include <string_view>
#include <vector>

#include "ir/loop/element_scope.h"

namespace dlg {

using loop::ElementScope;
using loop::Scalar;
using Indices = std::vector<loop::Index>;

/// The element rule of an op that is one scalar instruction on its operands.
template <loop::Op op>
Scalar one_instruction(ElementScope& scope) {
  std::vector<Scalar> args;
  for (std::size_t i = 0; i < scope.node().operands.size(); ++i) args.push_back(scope.arg(i));
  return scope.emit(op, std::move(args));
}

/// A relation or logical instruction: the result is bool.
Scalar test(loop::Op op, Scalar a, Scalar b);
Scalar choose(Scalar condition, Scalar if_true, Scalar if_false);
Scalar to_dtype(Scalar x, DType dtype);

/// `index` as an index computed at run time.
loop::Index dynamic_index(Scalar value);
/// The sum of indices[i] * strides[i]: an affine index where that is possible, else computed at run time.
loop::Index combined_index(ElementScope& scope, std::span<const loop::Index> indices,
                           std::span<const std::int64_t> strides);

/// The operand index of a reduction: result indices on the kept axes, `at` on the reduced ones.
Indices merged_indices(const Shape& operand, std::span<const loop::Index> kept,
                       std::span<const loop::Index> at, const std::vector<std::int64_t>& axes);

/// Extents of the given axes.
std::vector<std::int64_t> extents_of(const Shape& shape, const std::vector<std::int64_t>& axes);

}  // namespace dlg
