// Owns longer sample shapes of the ops: one extent of a case becomes another one, around the lengths at which
// sums and loops turn.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "ir/graph/op_def.h"
#include "support/arithmetic.h"

namespace dlg::test {

/// Lanes, blocks of 256, blocks of blocks, runs of them.
inline constexpr std::array<std::int64_t, 10> kLongExtents{15,  16,   17,   255,  256,
                                                           257, 4095, 4096, 4097, 65537};

/// One extent that is another, longer one wherever it stands. `from` may be kBatch: the rows of a batch.
struct Lengthening {
  std::int64_t from = 0;
  std::int64_t to = 0;
};

/// With how many rows values are counted, and how many elements one may have at most.
struct Room {
  std::int64_t batch = 1;
  std::int64_t most_elements = 0;
};

/// The extents of a case that can be lengthened, kBatch among them where it has one.
inline std::set<std::int64_t> extents_in(const SampleCase& sample) {
  std::set<std::int64_t> extents;
  const auto add = [&](const TensorType& type) {
    extents.insert(type.shape.dims().begin(), type.shape.dims().end());
  };
  for (const TensorType& operand : sample.operands) add(operand);
  add(sample.declared);
  return extents;
}

inline Shape lengthened(const Shape& shape, const Lengthening& lengthening) {
  std::vector<std::int64_t> dims = shape.dims();
  if (lengthening.from != kBatch) std::replace(dims.begin(), dims.end(), lengthening.from, lengthening.to);
  return Shape(std::move(dims));
}

inline bool fits(const Shape& shape, const Room& room) {
  std::int64_t elements = 1;
  for (const std::int64_t extent : shape.dims())
    elements = saturated_mul(elements, extent == kBatch ? room.batch : extent);
  return elements <= room.most_elements;
}

/// The case with its longer extent; nullopt: it is none of the op any more, or takes too much room.
inline std::optional<SampleCase> lengthened(const OpDef& op, SampleCase sample,
                                            const Lengthening& lengthening, const Room& room) {
  bool is_small = true;
  const auto change = [&](TensorType& type) {
    type.shape = lengthened(type.shape, lengthening);
    is_small = is_small && fits(type.shape, room);
  };
  for (TensorType& operand : sample.operands) change(operand);
  change(sample.declared);
  if (!is_small) return std::nullopt;
  const TypeResult result = op.type({sample.operands, sample.attributes, sample.declared});
  const auto* type = std::get_if<TensorType>(&result);
  const bool has_room = type != nullptr && fits(type->shape, room);
  return has_room ? std::optional(std::move(sample)) : std::nullopt;
}

}  // namespace dlg::test
