#include "ir/loop/loop_ir.h"

#include <algorithm>
#include <array>

#include "support/arithmetic.h"

namespace dlg::loop {
namespace {

/// Indexed by Op.
constexpr auto kOps = std::to_array<OpInfo>({
#define DLG_SCALAR_OP(name, text, arity, ...) {text, arity},
#include "ir/loop/scalar_ops.def"
#undef DLG_SCALAR_OP
});

}  // namespace

std::vector<AxisStride> strides_of(const Buffer& buffer, std::int64_t capacity) {
  std::optional<Storage> storage = storage_of(buffer.layout, buffer.type.shape.at(capacity));
  DLG_CHECK(storage.has_value(), "a buffer has more than 63 bits");
  return std::move(storage->axes);
}

std::int64_t bytes_of(const Buffer& buffer, std::int64_t capacity) {
  const std::int64_t element = dtype_bytes(buffer.type.dtype);
  if (buffer.layout.is_dense()) return multiply_sizes(buffer.type.shape.elements(capacity), element);
  const std::optional<Storage> storage = storage_of(buffer.layout, buffer.type.shape.at(capacity));
  DLG_CHECK(storage.has_value(), "a buffer has more than 63 bits");
  return multiply_sizes(storage->elements, element);
}

std::vector<std::int64_t> places_of(const Buffer& buffer, std::int64_t capacity) {
  const Shape shape = buffer.type.shape.at(capacity);
  const std::vector<AxisStride> strides = strides_of(buffer, capacity);
  std::vector<std::int64_t> places{0};
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) {
    std::vector<std::int64_t> finer;
    finer.reserve(places.size() * static_cast<std::size_t>(shape[axis]));
    for (const std::int64_t place : places) {
      for (std::int64_t i = 0; i < shape[axis]; ++i) finer.push_back(place + strides[axis].place(i));
    }
    places = std::move(finer);
  }
  return places;
}

bool has_offset(BufferKind kind) {
  return kind == BufferKind::kArena || kind == BufferKind::kState || kind == BufferKind::kOutput;
}

const OpInfo& op_info(Op op) {
  return kOps[static_cast<std::size_t>(op)];
}

std::optional<Op> parse_op(std::string_view text) {
  for (std::size_t i = 0; i < kOps.size(); ++i) {
    if (kOps[i].text == text) return static_cast<Op>(i);
  }
  return std::nullopt;
}

namespace {

/// Iterations of one loop by its extent and by the bounds that no other loop has a part in.
double known_iterations(const Loop& loop, std::int64_t batch) {
  std::int64_t begin = 0;
  std::int64_t end = loop.extent == kBatch ? batch : loop.extent;
  const auto sum = [batch](const Bound& bound) { return bound.value.offset + bound.rows * batch; };
  for (const Bound& bound : loop.lower) {
    if (bound.value.terms.empty()) begin = std::max(begin, ceil_div(sum(bound), bound.divisor));
  }
  for (const Bound& bound : loop.upper) {
    if (bound.value.terms.empty()) end = std::min(end, floor_div(sum(bound), bound.divisor));
  }
  return static_cast<double>(std::max(begin, end) - begin);
}

}  // namespace

double iterations(const Loop& loop, std::int64_t batch) {
  double count = loop.step > 1 ? 1 : known_iterations(loop, batch);
  for (const Loop& outer : loop.around) count *= known_iterations(outer, batch);
  return count;
}

std::optional<BufferId> Program::find_buffer(BufferKind kind, std::string_view source) const {
  for (const BufferId id : buffers.ids()) {
    if (buffers[id].kind == kind && buffers[id].source == source) return id;
  }
  return std::nullopt;
}

}  // namespace dlg::loop
