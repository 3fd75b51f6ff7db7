// Owns arrays in memory whose axes may lie in any order: what they are, copies between two orders, and their
// elements in row-major order, piece by piece.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "runtime/content.h"
#include "support/dtype.h"

namespace dlg {

/// An array that somebody else keeps. Its elements fill its memory without gaps.
struct ArrayView {
  DType type = DType::kF32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  // elements from one index of an axis to the next
  const void* data = nullptr;         // may lie anywhere

  std::int64_t elements() const;
  std::int64_t bytes() const { return elements() * dtype_bytes(type); }
  bool is_row_major() const;
};

/// The strides of these axes, row-major.
std::vector<std::int64_t> row_major_strides(const std::vector<std::int64_t>& shape);
/// A row-major array.
ArrayView row_major(DType type, std::vector<std::int64_t> shape, const void* data);

/// Elements that follow each other in row-major order: a range of one axis of an array, and all of the axes
/// behind it.
struct ArrayPart {
  std::int64_t first = 0;  // of its elements, row-major
  std::int64_t place = 0;  // of that element in memory, in elements
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

/// Cuts an array, in row-major order, into parts of at most `most` elements; ends where `visit` answers false
/// and answers what it answered last.
bool for_each_part(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides,
                   std::int64_t most, const std::function<bool(const ArrayPart&)>& visit);

/// Copies all elements to `to`, where they have these strides.
void copy_elements(const ArrayView& from, const std::vector<std::int64_t>& strides, void* to);

/// Hands out the bytes of all elements in row-major order, in pieces that fit into a cache.
bool for_each_piece(const ArrayView& array, const TakeBytes& take);

/// Whether so many floating-point numbers are all finite.
bool are_finite(DType type, const void* data, std::int64_t count);
/// The first element of a row-major array, from 0, that is not finite.
std::optional<std::int64_t> first_not_finite(const ArrayView& array);

}  // namespace dlg
