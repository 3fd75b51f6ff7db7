#include "ir/ops/lowering.h"

#include <algorithm>

namespace dlg {
namespace {

bool is_affine_sum(std::span<const loop::Index> indices, std::span<const std::int64_t> strides) {
  int dynamic = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) {
    if (!indices[i].dynamic.is_valid()) continue;
    ++dynamic;
    if (strides[i] != 1) return false;
  }
  return dynamic <= 1;
}

}  // namespace

Scalar test(loop::Op op, Scalar a, Scalar b) {
  return a.scope->emit(op, {a, b}, DType::kBool);
}

Scalar choose(Scalar condition, Scalar if_true, Scalar if_false) {
  return condition.scope->emit(loop::Op::kSelect, {condition, if_true, if_false}, if_true.dtype);
}

Scalar to_dtype(Scalar x, DType dtype) {
  return x.dtype == dtype ? x : x.scope->emit(loop::Op::kCast, {x}, dtype);
}

loop::Index dynamic_index(Scalar value) {
  loop::Index index;
  index.dynamic = value.reg;
  return index;
}

loop::Index combined_index(ElementScope& scope, std::span<const loop::Index> indices,
                           std::span<const std::int64_t> strides) {
  if (is_affine_sum(indices, strides)) {
    loop::Index sum;
    for (std::size_t i = 0; i < indices.size(); ++i) loop::add_scaled(sum, indices[i], strides[i]);
    return sum;
  }
  Scalar sum = scope.constant(0, DType::kI64);
  for (std::size_t i = 0; i < indices.size(); ++i) {
    sum = sum + scope.index_value(indices[i]) * scope.constant(static_cast<double>(strides[i]), DType::kI64);
  }
  return dynamic_index(sum);
}

Indices merged_indices(const Shape& operand, std::span<const loop::Index> kept,
                       std::span<const loop::Index> at, const std::vector<std::int64_t>& axes) {
  Indices all;
  std::size_t next_kept = 0;
  std::size_t next_reduced = 0;
  for (std::size_t axis = 0; axis < operand.rank(); ++axis) {
    const bool is_reduced =
        std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
    all.push_back(is_reduced ? at[next_reduced++] : kept[next_kept++]);
  }
  return all;
}

std::vector<std::int64_t> extents_of(const Shape& shape, const std::vector<std::int64_t>& axes) {
  std::vector<std::int64_t> extents;
  for (const std::int64_t axis : axes) extents.push_back(shape[static_cast<std::size_t>(axis)]);
  return extents;
}

}  // namespace dlg
