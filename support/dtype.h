// Owns the types of elements: of values in the IRs, of compiled code, of data and weight files; how they lie
// in memory.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace dlg {

/// A bool is one byte, 0 or 1. Data alone has bytes: they are read and cast, nothing is computed in them.
enum class DType : std::uint8_t { kBool, kU8, kI32, kI64, kF32, kF64 };

std::string_view dtype_name(DType dtype);
std::optional<DType> parse_dtype(std::string_view name);
std::int64_t dtype_bytes(DType dtype);
bool is_float(DType dtype);
/// i32 or i64.
bool is_integer(DType dtype);

/// Element `index` of an array as a double; it may lie anywhere.
double load_element(const void* data, DType dtype, std::int64_t index);
/// Rounds `value` once and stores it as element `index`.
void store_element(void* data, DType dtype, std::int64_t index, double value);
/// All of them, from element 0 on.
void store_elements(void* data, DType dtype, std::span<const double> values);

}  // namespace dlg
