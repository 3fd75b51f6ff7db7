#include "ir/ops/type_rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace dlg {

std::optional<std::string> differing_operands(std::span<const TensorType> operands) {
  for (const TensorType& other : operands) {
    const TensorType& first = operands.front();
    if (other.shape != first.shape) {
      return fmt::format("operands of 2 shapes: {} and {}", shape_text(first.shape), shape_text(other.shape));
    }
    if (other.dtype != first.dtype) {
      return fmt::format("operands of 2 element types: {} and {}", dtype_name(first.dtype),
                         dtype_name(other.dtype));
    }
  }
  return std::nullopt;
}

std::optional<std::string> not_float(const TensorType& type) {
  if (is_float(type.dtype)) return std::nullopt;
  return fmt::format("an operand of type {}, expected f32 or f64", type_text(type));
}

std::optional<std::string> not_integer(const TensorType& type) {
  if (type.dtype == DType::kI32 || type.dtype == DType::kI64) return std::nullopt;
  return fmt::format("an index of type {}, expected i32 or i64", type_text(type));
}

std::optional<std::string> bad_axes(const std::vector<std::int64_t>& axes, std::size_t rank) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= static_cast<std::int64_t>(rank)) {
      return fmt::format("axis {} of a value of rank {}", axes[i], rank);
    }
    if (i > 0 && axes[i] <= axes[i - 1]) {
      return fmt::format("axes [{}], expected ascending ones", fmt::join(axes, ", "));
    }
  }
  return std::nullopt;
}

Shape without_axes(const Shape& shape, const std::vector<std::int64_t>& axes) {
  std::vector<std::int64_t> dims;
  for (const std::int64_t axis : other_axes(shape.rank(), axes)) {
    dims.push_back(shape[static_cast<std::size_t>(axis)]);
  }
  return Shape(std::move(dims));
}

std::vector<std::int64_t> other_axes(std::size_t rank, const std::vector<std::int64_t>& axes) {
  std::vector<std::int64_t> others;
  for (std::int64_t axis = 0; axis < static_cast<std::int64_t>(rank); ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) others.push_back(axis);
  }
  return others;
}

TypeResult float_elementwise(const TypeQuery& query) {
  if (const auto reason = not_float(query.operands.front())) return *reason;
  if (const auto reason = differing_operands(query.operands)) return *reason;
  return query.operands.front();
}

TypeResult number_elementwise(const TypeQuery& query) {
  if (query.operands.front().dtype == DType::kBool) {
    return fmt::format("an operand of type {}, expected numbers", type_text(query.operands.front()));
  }
  if (const auto reason = differing_operands(query.operands)) return *reason;
  return query.operands.front();
}

TypeResult float_reduction(const TypeQuery& query) {
  return reduced_float(query.operands.front(), std::get<OverAxes>(query.attributes).axes);
}

TypeResult reduced_float(const TensorType& operand, const std::vector<std::int64_t>& axes) {
  if (const auto reason = not_float(operand)) return *reason;
  if (axes.empty()) return "no axis to reduce, expected at least one";
  if (const auto reason = bad_axes(axes, operand.shape.rank())) return *reason;
  return TensorType{operand.dtype, without_axes(operand.shape, axes)};
}

}  // namespace dlg
