#include "ir/loop/verify.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/loop/schedule.h"
#include "ir/loop/verify_kernel.h"
#include "ir/loop/verify_ranges.h"
#include "ir/loop/words.h"
#include "support/arithmetic.h"

namespace dlg::loop {
namespace {

using Failure = std::optional<std::string>;

constexpr std::int64_t kAlignment = 64;

struct Bytes {
  BufferKind kind;
  std::int64_t begin;
  std::int64_t end;
};

bool overlap(const Bytes& a, const Bytes& b) {
  return a.kind == b.kind && a.begin < b.end && b.begin < a.end;
}

Bytes bytes_range(const Program& program, BufferId id) {
  const Buffer& buffer = program.buffers[id];
  return {buffer.kind, buffer.offset, buffer.offset + bytes_of(buffer, program.batch)};
}

/// The elements at `batch` rows, if extents are positive and the bytes do not overflow.
std::optional<std::int64_t> checked_elements(const TensorType& type, std::int64_t batch) {
  std::optional<std::int64_t> count = dtype_bytes(type.dtype);
  const Shape shape = type.shape.at(batch);
  for (const std::int64_t extent : shape.dims()) {
    if (extent < 1) return std::nullopt;
    count = checked_mul(*count, extent);
    if (!count) return std::nullopt;
  }
  return *count / dtype_bytes(type.dtype);
}

Failure verify_shape(const Program& program, const Buffer& buffer) {
  const Shape& shape = buffer.type.shape;
  if (std::count(shape.dims().begin(), shape.dims().end(), kBatch) > 1) return "has two batch axes";
  if (!checked_elements(buffer.type, program.batch)) return "has an extent below 1 or too many elements";
  return broken_layout(buffer.layout, shape.at(program.batch));
}

/// What the kind of a buffer says about its type.
Failure verify_kind(const Buffer& buffer) {
  const Shape& shape = buffer.type.shape;
  const bool is_scalar = shape.rank() == 0;
  if (buffer.below != 0 && (buffer.kind != BufferKind::kData || buffer.below < 0))
    return "has a misplaced limit";
  if (buffer.below != 0 && !is_integer(buffer.type.dtype)) return "has a limit but no whole numbers";
  const bool may_be_bytes = buffer.kind == BufferKind::kData || buffer.kind == BufferKind::kArena;
  if (buffer.type.dtype == DType::kU8 && !may_be_bytes)
    return "has elements of u8, which only data and copies of it have";
  // Literals have no padding, and callers read outputs row after row.
  const bool may_be_padded = buffer.kind == BufferKind::kArena || buffer.kind == BufferKind::kState;
  if (!may_be_padded && !buffer.layout.is_dense())
    return fmt::format("has a pitch or a split axis, but is of kind {}", kind_word(buffer.kind));
  switch (buffer.kind) {
    case BufferKind::kHyper:
      if (buffer.type.dtype != DType::kF64 || !is_scalar) return "is a hyper-parameter but not f64[]";
      break;
    case BufferKind::kOrder:
      if (buffer.type != TensorType{DType::kI64, Shape{kBatch}})
        return "is the row order but not i64[*batch]";
      break;
    case BufferKind::kData:
      if (is_scalar || shape[0] != kBatch) return "is data but its first axis is not the batch";
      if (!buffer.layout.parts.empty()) return "is data but has a storage order";
      break;
    case BufferKind::kConstant:
      if (shape.has_batch()) return "is constant but has a batch axis";
      if (static_cast<std::int64_t>(buffer.literal.size()) != shape.elements()) {
        return "is constant but its literal has another number of elements";
      }
      break;
    case BufferKind::kState:
      if (shape.has_batch()) return "is state but has a batch axis";
      break;
    case BufferKind::kArena:
    case BufferKind::kOutput:
      break;
  }
  return std::nullopt;
}

Failure verify_place(const Program& program, BufferId id) {
  const Buffer& buffer = program.buffers[id];
  if (!has_offset(buffer.kind)) return std::nullopt;
  std::int64_t size = 0;
  if (buffer.kind == BufferKind::kArena) size = program.arena_bytes;
  if (buffer.kind == BufferKind::kState) size = program.state_bytes;
  if (buffer.kind == BufferKind::kOutput) size = program.output_bytes;
  if (buffer.offset < 0 || buffer.offset % kAlignment != 0)
    return "has an offset that is not 64-byte aligned";
  const std::optional<std::int64_t> end = checked_add(buffer.offset, bytes_of(buffer, program.batch));
  if (!end || *end > size) return "reaches beyond the end of its block";
  return std::nullopt;
}

bool are_same_state(const Buffer& a, const Buffer& b) {
  return a.kind == BufferKind::kState && a.offset == b.offset && a.type == b.type && a.layout == b.layout;
}

/// States and outputs are disjoint, but that two names of one state may share all their bytes.
std::optional<BrokenLaw> verify_overlaps(const Program& program, BufferKind kind) {
  std::vector<BufferId> ids;
  for (const BufferId id : program.buffers.ids()) {
    if (program.buffers[id].kind == kind) ids.push_back(id);
  }
  std::stable_sort(ids.begin(), ids.end(), [&](BufferId a, BufferId b) {
    return program.buffers[a].offset < program.buffers[b].offset;
  });
  // In this order only what reaches furthest can overlap the next one first.
  std::optional<BufferId> furthest;
  for (const BufferId id : ids) {
    const bool meets = furthest && overlap(bytes_range(program, *furthest), bytes_range(program, id));
    if (meets && !are_same_state(program.buffers[*furthest], program.buffers[id])) {
      const std::string& later = program.buffers[std::max(*furthest, id)].name;
      const std::string& earlier = program.buffers[std::min(*furthest, id)].name;
      return BrokenLaw{fmt::format("buffer `{}` overlaps `{}`", later, earlier),
                       "buffer " + name_word(later)};
    }
    if (!furthest || bytes_range(program, *furthest).end < bytes_range(program, id).end) furthest = id;
  }
  return std::nullopt;
}

Failure verify_buffer(const Program& program, BufferId id) {
  Failure failure = verify_shape(program, program.buffers[id]);
  if (!failure) failure = verify_kind(program.buffers[id]);
  if (!failure) failure = verify_place(program, id);
  if (failure) return fmt::format("buffer `{}` {}", program.buffers[id].name, *failure);
  return std::nullopt;
}

Failure verify_copy(const Program& program, const Copy& copy) {
  const auto is_known = [&program](BufferId id) { return id.index < program.buffers.size(); };
  if (!is_known(copy.from) || !is_known(copy.to)) return "a copy names no buffer";
  const Buffer& from = program.buffers[copy.from];
  const Buffer& to = program.buffers[copy.to];
  if (to.kind != BufferKind::kState) return fmt::format("a copy writes `{}`, which is no state", to.name);
  const bool has_memory = from.kind == BufferKind::kArena || from.kind == BufferKind::kState ||
                          from.kind == BufferKind::kOutput || from.kind == BufferKind::kConstant;
  if (!has_memory) return fmt::format("a copy reads `{}`, which is input", from.name);
  if (from.type != to.type || from.layout != to.layout) {
    return fmt::format("a copy from `{}` to `{}` changes type or storage order", from.name, to.name);
  }
  return std::nullopt;
}

/// The copies happen together: none may read what an earlier one wrote.
Failure verify_copies(const Program& program) {
  for (std::size_t i = 0; i < program.copies.size(); ++i) {
    if (Failure failure = verify_copy(program, program.copies[i])) return failure;
    for (std::size_t earlier = 0; earlier <= i; ++earlier) {
      const BufferId to = program.copies[earlier].to;
      if (!overlap(bytes_range(program, program.copies[i].from), bytes_range(program, to))) continue;
      return fmt::format("a copy reads `{}`, whose bytes it or an earlier copy writes",
                         program.buffers[program.copies[i].from].name);
    }
  }
  return std::nullopt;
}

/// What the stop test looks at.
Failure verify_tested(const Program& program, BufferId id, std::string_view what) {
  if (!id.is_valid()) return std::nullopt;
  if (id.index >= program.buffers.size()) return fmt::format("the {} is no buffer", what);
  const Buffer& buffer = program.buffers[id];
  if (buffer.kind == BufferKind::kOutput && buffer.type.shape.rank() == 0 && is_float(buffer.type.dtype)) {
    return std::nullopt;
  }
  return fmt::format("the {} `{}` is not a floating-point scalar output", what, buffer.name);
}

Failure verify_head(const Program& program) {
  if (program.batch < 1) return "the batch has fewer than 1 row";
  if (program.arena_bytes < 0 || program.state_bytes < 0 || program.output_bytes < 0) {
    return "a memory block has a negative size";
  }
  if (program.kernels_before_stop_test > program.kernels.size())
    return "the stop test is behind the last kernel";
  Failure failure = verify_tested(program, program.loss, "loss");
  if (!failure) failure = verify_tested(program, program.weight, "weight");
  return failure ? failure : verify_tested(program, program.fault, "fault");
}

}  // namespace

std::optional<BrokenLaw> find_broken_law(const Program& program) {
  if (Failure failure = verify_head(program)) return BrokenLaw{*failure, ""};
  for (const BufferId id : program.buffers.ids()) {
    if (Failure failure = verify_buffer(program, id)) {
      return BrokenLaw{*failure, "buffer " + name_word(program.buffers[id].name)};
    }
  }
  for (const BufferKind kind : {BufferKind::kState, BufferKind::kOutput}) {
    if (std::optional<BrokenLaw> broken = verify_overlaps(program, kind)) return broken;
  }
  IdVector<BufferId, char> written(program.buffers.size());
  for (std::size_t k = 0; k < program.kernels.size(); ++k) {
    const StatePolicy policy =
        k < program.kernels_before_stop_test ? StatePolicy::kReadOnly : StatePolicy::kWritable;
    if (Failure failure = verify_kernel(program, program.kernels[k], policy, written)) {
      const std::string& name = program.kernels[k].name;
      return BrokenLaw{fmt::format("kernel `{}`: {}", name, *failure), "kernel " + name_word(name)};
    }
  }
  if (Failure failure = verify_copies(program)) return BrokenLaw{*failure, "copy"};
  if (std::optional<BrokenLaw> broken = verify_ranges(program)) return broken;
  return verify_schedule(program);
}

std::optional<std::string> verify(const Program& program) {
  std::optional<BrokenLaw> broken = find_broken_law(program);
  if (!broken) return std::nullopt;
  return std::move(broken->sentence);
}

}  // namespace dlg::loop
