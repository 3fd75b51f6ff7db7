#include "driver/engine/state_copies.h"

namespace dlg {

void StateCopies::set(const StateViews& states) {
  for (const auto& [path, values] : states) {
    Copy& copy = copies_[path];
    copy.type = values.type;
    copy.shape = values.shape;
    copy.bytes.resize(static_cast<std::size_t>(values.bytes()));
    copy_elements(values, row_major_strides(values.shape), copy.bytes.data());
  }
}

StateViews StateCopies::views() const {
  StateViews views;
  for (const auto& [path, copy] : copies_) views[path] = row_major(copy.type, copy.shape, copy.bytes.data());
  return views;
}

}  // namespace dlg
