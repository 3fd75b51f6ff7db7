#include "support/stored_type.h"

namespace dlg {

StoredType stored_type(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return StoredType::kBool;
    case DType::kU8:
      return StoredType::kU8;
    case DType::kI32:
      return StoredType::kI32;
    case DType::kI64:
      return StoredType::kI64;
    case DType::kF32:
      return StoredType::kF32;
    case DType::kF64:
      break;
  }
  return StoredType::kF64;
}

std::int64_t stored_bytes(StoredType type) {
  return with_stored_type(type, [](auto zero) { return static_cast<std::int64_t>(sizeof zero); });
}

}  // namespace dlg
