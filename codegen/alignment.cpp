#include "codegen/alignment.h"

#include <numeric>

#include "support/defects.h"

namespace dlg {

using loop::BufferKind;

namespace {

/// The first byte of `buffer` is at a multiple of it.
std::int64_t start_of(const loop::Buffer& buffer) {
  switch (buffer.kind) {
    case BufferKind::kArena:
    case BufferKind::kState:
    case BufferKind::kOutput:
      return std::gcd(kBlockAlignment, buffer.offset);
    case BufferKind::kConstant:
      return kBlockAlignment;
    case BufferKind::kHyper:
      if (has_defect(Defect::kWideScalars)) return kBlockAlignment;
      break;
    case BufferKind::kData:
    case BufferKind::kOrder:
      break;
  }
  return dtype_bytes(buffer.type.dtype);
}

}  // namespace

std::uint64_t start_alignment(const loop::Buffer& buffer) {
  return static_cast<std::uint64_t>(start_of(buffer));
}

std::uint64_t alignment_at(const loop::Buffer& buffer, const KnownIndex& index) {
  const std::int64_t bytes = dtype_bytes(buffer.type.dtype);
  return static_cast<std::uint64_t>(
      std::gcd(std::gcd(start_of(buffer), index.offset * bytes), index.step * bytes));
}

std::uint64_t scratch_alignment(std::int64_t bytes) {
  return static_cast<std::uint64_t>(std::gcd(kBlockAlignment, bytes));
}

}  // namespace dlg
