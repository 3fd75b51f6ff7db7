// Owns the type rules that several ops share, and the pieces such rules are made of.
#pragma once

#include <optional>
#include <string>

#include "ir/graph/op_def.h"

namespace dlg {

/// One float type for all operands and the result: neg, add, exp.
TypeResult float_elementwise(const TypeQuery& query);
/// One type of numbers for all operands and the result, floats or integers.
TypeResult number_elementwise(const TypeQuery& query);
/// The operand's type without its OverAxes; a float operand.
TypeResult float_reduction(const TypeQuery& query);
/// `operand`, a float, without `axes` (ascending, at least one).
TypeResult reduced_float(const TensorType& operand, const std::vector<std::int64_t>& axes);

/// The reason why the operands do not all have the first one's shape and element type.
std::optional<std::string> differing_operands(std::span<const TensorType> operands);
/// The reason why `type` is not a float type.
std::optional<std::string> not_float(const TensorType& type);
/// The reason why `type` is not i32 or i64.
std::optional<std::string> not_integer(const TensorType& type);
/// The reason why `axes` are not ascending axes of a shape of this rank.
std::optional<std::string> bad_axes(const std::vector<std::int64_t>& axes, std::size_t rank);
/// `shape` without `axes` (ascending).
Shape without_axes(const Shape& shape, const std::vector<std::int64_t>& axes);
/// The axes of a shape of this rank that are not in `axes`.
std::vector<std::int64_t> other_axes(std::size_t rank, const std::vector<std::int64_t>& axes);

}  // namespace dlg
