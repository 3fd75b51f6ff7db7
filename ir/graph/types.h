// Owns the types of graph values: element type and shape, with the batch as a symbolic extent.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/dtype.h"
#include "support/id.h"

namespace dlg {

/// The extent of the batch axis in a shape: its size is the number of valid rows, known at run time only.
inline constexpr std::int64_t kBatch = -1;

/// Extents, outermost axis first. At most one of them is kBatch. Axes are positions: they have no names here.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims) : dims_(dims) {}
  explicit Shape(std::vector<std::int64_t> dims) : dims_(std::move(dims)) {}

  std::size_t rank() const { return dims_.size(); }
  std::int64_t operator[](std::size_t axis) const { return dims_[axis]; }
  const std::vector<std::int64_t>& dims() const { return dims_; }
  bool has_batch() const { return batch_axis().has_value(); }
  std::optional<std::size_t> batch_axis() const;

  /// The number of elements with `rows` in place of the batch.
  std::int64_t elements(std::int64_t rows = 1) const;
  /// The shape with `rows` in place of the batch.
  Shape at(std::int64_t rows) const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::vector<std::int64_t> dims_;
};

struct TensorType {
  DType dtype = DType::kF32;
  Shape shape;

  friend bool operator==(const TensorType&, const TensorType&) = default;
};

/// "[*batch, 64]".
std::string shape_text(const Shape& shape);
/// "f32[*batch, 64]".
std::string type_text(const TensorType& type);

using ValueId = Id<struct ValueTag>;
using StateId = Id<struct StateTag>;
using GroupId = Id<struct GroupTag>;

}  // namespace dlg
