#include "driver/data/packing.h"

namespace dlg {
namespace {

/// Calls `visit(element number in row-major order, element offset in storage)` for each element.
template <class Visit>
void for_each_element(const loop::Buffer& buffer, BatchRows rows, const Visit& visit) {
  const Shape shape = buffer.type.shape.at(rows.valid);
  const std::vector<loop::AxisStride> strides = loop::strides_of(buffer, rows.capacity);
  std::vector<std::int64_t> at(shape.rank(), 0);
  const std::int64_t count = shape.elements();
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    visit(i, offset);
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
      offset -= strides[axis].place(at[axis]);
      at[axis] = at[axis] + 1 < shape[axis] ? at[axis] + 1 : 0;
      offset += strides[axis].place(at[axis]);
      if (at[axis] > 0) break;
    }
  }
}

}  // namespace

void pack(const loop::Buffer& buffer, BatchRows rows, std::span<const double> values, unsigned char* base) {
  for_each_element(buffer, rows, [&](std::int64_t i, std::int64_t offset) {
    store_element(base, buffer.type.dtype, offset, values[static_cast<std::size_t>(i)]);
  });
}

std::vector<double> unpack(const loop::Buffer& buffer, BatchRows rows, const unsigned char* base) {
  std::vector<double> values(static_cast<std::size_t>(buffer.type.shape.elements(rows.valid)));
  for_each_element(buffer, rows, [&](std::int64_t i, std::int64_t offset) {
    values[static_cast<std::size_t>(i)] = load_element(base, buffer.type.dtype, offset);
  });
  return values;
}

}  // namespace dlg
