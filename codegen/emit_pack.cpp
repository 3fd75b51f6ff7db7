// Owns the copying of one operand's elements under a panel of columns, so that the tiles read whole vectors
// that lie one behind the other.
#include <algorithm>

#include "codegen/kernel_emitter.h"

namespace dlg {

using llvm::Value;
using loop::Loop;
using loop::VarId;

namespace {

/// Rows become columns: in stage d every lane whose number has bit d changes places with its mirror image.
std::vector<Value*> transposed(llvm::IRBuilder<>& builder, std::vector<Value*> rows) {
  const auto count = static_cast<unsigned>(rows.size());
  for (unsigned d = 1; d < count; d *= 2) {
    std::vector<int> upper;
    std::vector<int> lower;
    for (unsigned lane = 0; lane < count; ++lane) {
      const bool is_far = (lane & d) != 0;
      upper.push_back(static_cast<int>(is_far ? count + lane - d : lane));
      lower.push_back(static_cast<int>(is_far ? count + lane : lane + d));
    }
    for (unsigned row = 0; row < count; ++row) {
      if ((row & d) != 0) continue;
      Value* first = rows[row];
      Value* second = rows[row + d];
      rows[row] = builder.CreateShuffleVector(first, second, upper);
      rows[row + d] = builder.CreateShuffleVector(first, second, lower);
    }
  }
  return rows;
}

}  // namespace

Value* KernelEmitter::packed_place(const PackedBlock& block, Value* first_step, unsigned first_lane) {
  Value* position = i64(0);
  for (const Loop* loop : block.pack.chain) {
    const std::int64_t extent = loop->extent == kBatch ? program_.batch : loop->extent;
    Value* at = loop == block.pack.chain.back() ? first_step : elements_.var(loop->var);
    position = builder_.CreateAdd(builder_.CreateMul(position, i64(extent)), at);
  }
  position = builder_.CreateAdd(builder_.CreateMul(position, i64(block.width)), i64(first_lane));
  return builder_.CreateInBoundsGEP(block.element, block.memory, position);
}

/// One step: the elements of all columns as the load instruction reads them.
void KernelEmitter::pack_step(const PackedBlock& block, Value* step) {
  elements_.set_var(block.pack.chain.back()->var, step);
  Value* row = elements_.load(*block.pack.load);
  builder_.CreateAlignedStore(row, packed_place(block, step, 0), block.align());
}

/// As many steps as a square has lanes: their elements of one column are neighbours in memory.
void KernelEmitter::pack_square(const PackedBlock& block, Value* step, unsigned lanes) {
  elements_.set_var(block.pack.chain.back()->var, step);
  Value* corner = elements_.first_lane(*block.pack.load);
  llvm::Type* vector = llvm::FixedVectorType::get(block.element, lanes);
  const llvm::Align element_align(static_cast<std::uint64_t>(dtype_bytes(block.pack.load->dtype)));
  for (unsigned column = 0; column < block.width; column += lanes) {
    Values rows;
    for (unsigned i = 0; i < lanes; ++i) {
      Value* offset = i64((column + i) * block.pack.column_stride);
      rows.push_back(builder_.CreateAlignedLoad(
          vector, builder_.CreateInBoundsGEP(block.element, corner, offset), element_align));
    }
    rows = transposed(builder_, rows);
    for (unsigned i = 0; i < lanes; ++i) {
      Value* place = packed_place(block, builder_.CreateAdd(step, i64(i)), column);
      builder_.CreateAlignedStore(rows[i], place, element_align);
    }
  }
}

/// The loops over the steps, from loop `depth` of the chain on.
void KernelEmitter::pack_steps(const PackedBlock& block, std::size_t depth) {
  const Loop& loop = *block.pack.chain[depth];
  Value* end = loop.extent == kBatch ? rows_ : i64(loop.extent);
  if (depth + 1 < block.pack.chain.size()) {
    return emit_plain({i64(0), end}, 1, loop.name, [&](Value* at) {
      elements_.set_var(loop.var, at);
      pack_steps(block, depth + 1);
    });
  }
  Value* begin = i64(0);
  const auto element_bytes = static_cast<unsigned>(dtype_bytes(block.pack.load->dtype));
  const unsigned lanes = std::min(block.width, unit_.bytes / element_bytes);
  if (block.pack.column_stride != 1 && block.pack.chain_stride == 1 && lanes > 1) {
    Value* whole = whole_part(end, lanes);
    emit_plain({begin, whole}, lanes, loop.name, [&](Value* at) { pack_square(block, at, lanes); });
    begin = whole;
  }
  emit_plain({begin, end}, 1, loop.name, [&](Value* at) { pack_step(block, at); });
}

void KernelEmitter::emit_pack(const Pack& pack, const Panel& panel, VarId column) {
  PackedBlock block{pack, memory_type(builder_.getContext(), pack.load->dtype), nullptr, panel.width};
  llvm::Type* row = llvm::FixedVectorType::get(block.element, panel.width);
  block.memory = slot(llvm::ArrayType::get(row, static_cast<std::uint64_t>(pack.steps)), "packed");
  elements_.at_width(panel.width, column, [&] { pack_steps(block, 0); });
  elements_.set_packed(pack.load->result, [this, block, row] {
    Value* place = packed_place(block, elements_.var(block.pack.chain.back()->var), 0);
    return builder_.CreateAlignedLoad(row, place, block.align());
  });
}

}  // namespace dlg
