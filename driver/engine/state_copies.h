// Owns states by path: where they lie, and copies of them with memory of their own.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runtime/array_view.h"

namespace dlg {

/// Where states lie, by path.
using StateViews = std::map<std::string, ArrayView>;

/// Copies of states, row-major.
class StateCopies {
 public:
  /// Copies these; others stay.
  void set(const StateViews& states);
  StateViews views() const;

 private:
  struct Copy {
    DType type = DType::kF32;
    std::vector<std::int64_t> shape;
    std::vector<unsigned char> bytes;
  };

  std::map<std::string, Copy> copies_;
};

}  // namespace dlg
