// Owns the layout of a buffer: in which order, and how far apart, its elements lie in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph/types.h"

namespace dlg::loop {

/// An axis, or one of the two parts of an axis that is split: its blocks of `factor` indices, or the rest,
/// which is the index in a block.
struct StoragePart {
  enum class Kind : std::uint8_t { kAxis, kBlocks, kRest };

  std::int64_t axis = 0;
  Kind kind = Kind::kAxis;
  std::int64_t factor = 1;  // kBlocks, kRest
  std::int64_t pitch = 0;   // elements from one index to the next; 0: as many as the parts inside of it take

  friend bool operator==(const StoragePart&, const StoragePart&) = default;
};

/// Storage order: parts of axes from outermost to innermost. At most one axis is split; its last block may
/// reach beyond the axis. What lies between elements is padding: it belongs to the buffer, and no kernel
/// touches it.
struct Layout {
  std::vector<StoragePart> parts = {};  // empty: the axes as written

  /// Whether the elements lie close together, none of their axes split.
  bool is_dense() const;
  /// Indices of a block of the axis; 0: it is not split.
  std::int64_t factor_of(std::size_t axis) const;
  friend bool operator==(const Layout&, const Layout&) = default;
};

/// Whole axes in this order, close together.
Layout in_order(const std::vector<std::int64_t>& axes);

/// Where the indices of one axis lie, in elements.
struct AxisStride {
  std::int64_t stride = 1;  // from one index to the next, in its block if the axis is split
  std::int64_t factor = 0;  // indices of a block; 0: the axis is not split
  std::int64_t block_stride = 0;

  std::int64_t place(std::int64_t index) const {
    if (factor == 0) return index * stride;
    return index / factor * block_stride + index % factor * stride;
  }
};

/// What a shape takes in memory.
struct Storage {
  std::vector<AxisStride> axes;  // the logical ones
  std::int64_t elements = 1;     // with padding
};

/// nullopt: more than 63 bits. The layout keeps its law, and the shape has no batch axis.
std::optional<Storage> storage_of(const Layout& layout, const Shape& shape);

/// The law of layouts: every axis is there once, one of them perhaps in its two parts, and inside of no pitch
/// lies more than fits. `shape` has no batch axis. Answers what is wrong, behind the name of a buffer.
std::optional<std::string> broken_layout(const Layout& layout, const Shape& shape);

}  // namespace dlg::loop
