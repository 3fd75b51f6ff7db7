// Owns the list of all axes of a shape, for tests that sum everything up.
#pragma once

#include <numeric>
#include <vector>

#include "ir/graph/types.h"

namespace dlg {

inline std::vector<std::int64_t> all_axes(const Shape& shape) {
  std::vector<std::int64_t> axes(shape.rank());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

}  // namespace dlg
