#include "support/dtype.h"

#include <array>
#include <cstring>
#include <type_traits>

namespace dlg {
namespace {

template <class T>
double load_as(const unsigned char* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<double>(value);
}

template <class T>
void store_as(unsigned char* at, double value) {
  const T rounded = static_cast<T>(value);
  std::memcpy(at, &rounded, sizeof rounded);
}

template <class T>
void store_all_as(unsigned char* at, std::span<const double> values) {
  for (const double value : values) {
    store_as<T>(at, value);
    at += sizeof(T);
  }
}

struct DTypeRow {
  std::string_view name;
  std::int64_t bytes;
  bool is_float;
  double (*load)(const unsigned char* at);
  void (*store)(unsigned char* at, double value);
  void (*store_all)(unsigned char* at, std::span<const double> values);
};

template <class T>
constexpr DTypeRow row_of(std::string_view name) {
  return {name, sizeof(T), std::is_floating_point_v<T>, load_as<T>, store_as<T>, store_all_as<T>};
}

/// Indexed by DType.
constexpr std::array<DTypeRow, 6> kDTypes{{row_of<std::uint8_t>("bool"), row_of<std::uint8_t>("u8"),
                                           row_of<std::int32_t>("i32"), row_of<std::int64_t>("i64"),
                                           row_of<float>("f32"), row_of<double>("f64")}};

const DTypeRow& row(DType dtype) {
  return kDTypes[static_cast<std::size_t>(dtype)];
}

}  // namespace

std::string_view dtype_name(DType dtype) {
  return row(dtype).name;
}

std::optional<DType> parse_dtype(std::string_view name) {
  for (std::size_t i = 0; i < kDTypes.size(); ++i) {
    if (kDTypes[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

std::int64_t dtype_bytes(DType dtype) {
  return row(dtype).bytes;
}

bool is_float(DType dtype) {
  return row(dtype).is_float;
}

bool is_integer(DType dtype) {
  return dtype == DType::kI32 || dtype == DType::kI64;
}

double load_element(const void* data, DType dtype, std::int64_t index) {
  return row(dtype).load(static_cast<const unsigned char*>(data) + index * row(dtype).bytes);
}

void store_element(void* data, DType dtype, std::int64_t index, double value) {
  row(dtype).store(static_cast<unsigned char*>(data) + index * row(dtype).bytes, value);
}

void store_elements(void* data, DType dtype, std::span<const double> values) {
  row(dtype).store_all(static_cast<unsigned char*>(data), values);
}

}  // namespace dlg
