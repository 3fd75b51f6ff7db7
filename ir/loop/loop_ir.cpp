#include "ir/loop/loop_ir.h"

#include <array>

namespace dlg::loop {
namespace {

/// Indexed by Op.
constexpr auto kOps = std::to_array<OpInfo>({
#define DLG_SCALAR_OP(name, text, arity) {text, arity},
#include "ir/loop/scalar_ops.def"
#undef DLG_SCALAR_OP
});

}  // namespace

std::vector<std::int64_t> strides_of(const Buffer& buffer, std::int64_t capacity) {
  const Shape shape = buffer.type.shape.at(capacity);
  std::vector<std::int64_t> strides(shape.rank(), 1);
  std::int64_t stride = 1;
  for (std::size_t i = shape.rank(); i-- > 0;) {
    const std::size_t axis = buffer.order.empty() ? i : static_cast<std::size_t>(buffer.order[i]);
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

std::int64_t bytes_of(const Buffer& buffer, std::int64_t capacity) {
  return buffer.type.shape.elements(capacity) * dtype_bytes(buffer.type.dtype);
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

std::optional<BufferId> Program::find_buffer(BufferKind kind, std::string_view source) const {
  for (const BufferId id : buffers.ids()) {
    if (buffers[id].kind == kind && buffers[id].source == source) return id;
  }
  return std::nullopt;
}

}  // namespace dlg::loop
