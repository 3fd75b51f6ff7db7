#include "ir/graph/types.h"

#include <fmt/format.h>

#include <array>

#include "support/arithmetic.h"

namespace dlg {
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
