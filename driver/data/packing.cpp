#include "driver/data/packing.h"

#include <cstring>

namespace dlg {
namespace {

template <class T>
void store_as(double value, unsigned char* at) {
  const T typed = static_cast<T>(value);
  std::memcpy(at, &typed, sizeof typed);
}

template <class T>
double load_as(const unsigned char* at) {
  T typed;
  std::memcpy(&typed, at, sizeof typed);
  return static_cast<double>(typed);
}

void store(DType dtype, double value, unsigned char* at) {
  switch (dtype) {
    case DType::kBool:
      return store_as<unsigned char>(value, at);
    case DType::kI32:
      return store_as<std::int32_t>(value, at);
    case DType::kI64:
      return store_as<std::int64_t>(value, at);
    case DType::kF32:
      return store_as<float>(value, at);
    case DType::kF64:
      return store_as<double>(value, at);
  }
}

double load(DType dtype, const unsigned char* at) {
  switch (dtype) {
    case DType::kBool:
      return load_as<unsigned char>(at);
    case DType::kI32:
      return load_as<std::int32_t>(at);
    case DType::kI64:
      return load_as<std::int64_t>(at);
    case DType::kF32:
      return load_as<float>(at);
    case DType::kF64:
      break;
  }
  return load_as<double>(at);
}

/// Calls `visit(element number in row-major order, element offset in storage)` for each element.
template <class Visit>
void for_each_element(const loop::Buffer& buffer, BatchRows rows, const Visit& visit) {
  const Shape shape = buffer.type.shape.at(rows.valid);
  const std::vector<std::int64_t> strides = loop::strides_of(buffer, rows.capacity);
  std::vector<std::int64_t> at(shape.rank(), 0);
  const std::int64_t count = shape.elements();
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    visit(i, offset);
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
      offset += strides[axis];
      if (++at[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      at[axis] = 0;
    }
  }
}

}  // namespace

void pack(const loop::Buffer& buffer, BatchRows rows, std::span<const double> values, unsigned char* base) {
  const std::int64_t bytes = dtype_bytes(buffer.type.dtype);
  for_each_element(buffer, rows, [&](std::int64_t i, std::int64_t offset) {
    store(buffer.type.dtype, values[static_cast<std::size_t>(i)], base + offset * bytes);
  });
}

std::vector<double> unpack(const loop::Buffer& buffer, BatchRows rows, const unsigned char* base) {
  const std::int64_t bytes = dtype_bytes(buffer.type.dtype);
  std::vector<double> values(static_cast<std::size_t>(buffer.type.shape.elements(rows.valid)));
  for_each_element(buffer, rows, [&](std::int64_t i, std::int64_t offset) {
    values[static_cast<std::size_t>(i)] = load(buffer.type.dtype, base + offset * bytes);
  });
  return values;
}

std::vector<unsigned char> to_bytes(DType dtype, std::span<const double> values) {
  const auto bytes = static_cast<std::size_t>(dtype_bytes(dtype));
  std::vector<unsigned char> data(values.size() * bytes);
  for (std::size_t i = 0; i < values.size(); ++i) store(dtype, values[i], data.data() + i * bytes);
  return data;
}

ElementType element_type(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return ElementType::kBool;
    case DType::kF64:
      return ElementType::kF64;
    case DType::kI32:
      return ElementType::kI32;
    case DType::kI64:
      return ElementType::kI64;
    case DType::kF32:
      break;
  }
  return ElementType::kF32;
}

}  // namespace dlg
