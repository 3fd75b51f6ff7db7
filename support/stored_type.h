// Owns the types of numbers in data files and how such a number lies there: as in memory, little-endian.
#pragma once

#include <cstdint>

#include "support/dtype.h"

namespace dlg {

/// A bool is one byte, 0 or 1.
enum class StoredType : std::uint8_t { kBool, kI8, kU8, kI16, kU16, kI32, kU32, kI64, kU64, kF32, kF64 };

/// Calls `visit` with a zero of the C++ type of such numbers.
template <class Visit>
decltype(auto) with_stored_type(StoredType type, const Visit& visit) {
  switch (type) {
    case StoredType::kBool:
    case StoredType::kU8:
      return visit(std::uint8_t{});
    case StoredType::kI8:
      return visit(std::int8_t{});
    case StoredType::kI16:
      return visit(std::int16_t{});
    case StoredType::kU16:
      return visit(std::uint16_t{});
    case StoredType::kI32:
      return visit(std::int32_t{});
    case StoredType::kU32:
      return visit(std::uint32_t{});
    case StoredType::kI64:
      return visit(std::int64_t{});
    case StoredType::kU64:
      return visit(std::uint64_t{});
    case StoredType::kF32:
      return visit(float{});
    case StoredType::kF64:
      break;
  }
  return visit(double{});
}

/// How elements of `dtype` lie in memory.
StoredType stored_type(DType dtype);
std::int64_t stored_bytes(StoredType type);

}  // namespace dlg
