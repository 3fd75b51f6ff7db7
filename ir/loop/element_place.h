// Owns the place of an element in its buffer as a sum of indices times strides: an index on a split axis is
// taken apart there.
#pragma once

#include <cstdint>
#include <vector>

#include "ir/loop/loop_ir.h"

namespace dlg::loop {

/// An index on an axis in blocks of `factor`: factor * block + rest, where `rest` stays in 0 .. factor - 1.
struct SplitIndex {
  Index block;
  Index rest;
};

/// Terms whose factors are multiples of `factor` belong to the block, the offset to both; `index` has no
/// register. The verifier has proved that the rest stays in a block.
SplitIndex split_index(const Index& index, std::int64_t factor);

/// Calls `visit(index, stride)` for all that the place of an element is the sum of, in elements.
template <class Visit>
void for_each_stride(const std::vector<AxisStride>& axes, const std::vector<Index>& indices,
                     const Visit& visit) {
  for (std::size_t axis = 0; axis < indices.size(); ++axis) {
    if (axes[axis].factor == 0) {
      visit(indices[axis], axes[axis].stride);
      continue;
    }
    const SplitIndex parts = split_index(indices[axis], axes[axis].factor);
    visit(parts.block, axes[axis].block_stride);
    visit(parts.rest, axes[axis].stride);
  }
}

}  // namespace dlg::loop
