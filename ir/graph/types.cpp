#include "ir/graph/types.h"

#include <fmt/format.h>

#include <array>

#include "support/arithmetic.h"

namespace dlg {
namespace {

struct DTypeRow {
  std::string_view name;
  std::int64_t bytes;
  bool is_float;
};

/// Indexed by DType.
constexpr std::array<DTypeRow, 5> kDTypes{
    {{"bool", 1, false}, {"i32", 4, false}, {"i64", 8, false}, {"f32", 4, true}, {"f64", 8, true}}};

const DTypeRow& row(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::string_view dtype_name(DType dtype) {
  return row(dtype).name;
}

std::optional<DType> parse_dtype(std::string_view name) {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::int64_t dtype_bytes(DType dtype) {
  return row(dtype).bytes;
}

bool is_float(DType dtype) {
  return row(dtype).is_float;
}

bool is_integer(DType dtype) {
  return !is_float(dtype) && dtype != DType::kBool;
}

std::optional<std::size_t> Shape::batch_axis() const {
  for (std::size_t axis = 0; axis < dims_.size(); ++axis) {
    if (dims_[axis] == kBatch) return axis;
  }
  return std::nullopt;
}

std::int64_t Shape::elements(std::int64_t rows) const {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims_) count = multiply_sizes(count, dim == kBatch ? rows : dim);
  return count;
}

Shape Shape::at(std::int64_t rows) const {
  std::vector<std::int64_t> dims = dims_;
  for (std::int64_t& dim : dims) dim = dim == kBatch ? rows : dim;
  return Shape(std::move(dims));
}

std::string shape_text(const Shape& shape) {
  std::vector<std::string> parts;
  for (const std::int64_t dim : shape.dims()) parts.push_back(dim == kBatch ? "*batch" : std::to_string(dim));
  return fmt::format("[{}]", fmt::join(parts, ", "));
}

std::string type_text(const TensorType& type) {
  return fmt::format("{}{}", dtype_name(type.dtype), shape_text(type.shape));
}

}  // namespace dlg
