// Owns the copying of one operand's elements, under a panel of columns or for tiles of rows, so that the
// tiles read what lies one behind the other.
#include <algorithm>
#include <bit>

#include "codegen/alignment.h"
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

/// Of what lies a multiple of `lanes` lanes behind the beginning of the copy.
llvm::Align KernelEmitter::lanes_align(const PackedBlock& block, unsigned lanes) {
  return llvm::Align(scratch_alignment(lanes * dtype_bytes(block.pack.load->dtype)));
}

Value* KernelEmitter::packed_place(const PackedBlock& block, Value* first_step, unsigned first_lane) {
  Value* position = i64(builder_, 0);
  for (const Loop* loop : block.pack.chain) {
    const std::int64_t extent = loop->extent == kBatch ? program_.batch : loop->extent;
    Value* at = loop == block.pack.chain.back() ? first_step : elements_.var(loop->var);
    position = builder_.CreateAdd(builder_.CreateMul(position, i64(builder_, extent)), at);
  }
  position = builder_.CreateAdd(builder_.CreateMul(position, i64(builder_, block.lanes.width)),
                                i64(builder_, first_lane));
  return builder_.CreateInBoundsGEP(block.element, block.memory, position);
}

/// One step: the elements of all lanes as the load instruction reads them.
void KernelEmitter::pack_step(const PackedBlock& block, Value* step) {
  elements_.set_var(block.lanes.var, block.first);
  elements_.set_var(block.pack.chain.back()->var, step);
  for (const loop::Instruction* input : block.pack.inputs) elements_.emit_instruction(*input);
  builder_.CreateAlignedStore(elements_.load(*block.pack.load), packed_place(block, step, 0), block.align);
}

/// As many steps as a square has lanes: the steps of one lane are neighbours in memory. What no lane stands
/// for is 0.
void KernelEmitter::pack_square(const PackedBlock& block, Value* step, unsigned side) {
  elements_.set_var(block.lanes.var, block.first);
  elements_.set_var(block.pack.chain.back()->var, step);
  for (const loop::Instruction* input : block.pack.inputs) elements_.emit_instruction(*input);
  llvm::Type* vector = llvm::FixedVectorType::get(block.element, side);
  const llvm::Align align = lanes_align(block, 1);
  for (unsigned first = 0; first < block.lanes.width; first += side) {
    Values square;
    for (unsigned lane = first; lane < first + side; ++lane) {
      if (lane >= block.lanes.used) {
        square.push_back(llvm::Constant::getNullValue(vector));
        continue;
      }
      const auto [place, place_align] = elements_.lane_place(*block.pack.load, lane);
      square.push_back(builder_.CreateAlignedLoad(vector, place, place_align));
    }
    square = transposed(builder_, square);
    const unsigned count = std::min(side, block.lanes.width - first);
    for (unsigned i = 0; i < side; ++i) {
      Value* place = packed_place(block, builder_.CreateAdd(step, i64(builder_, i)), first);
      builder_.CreateAlignedStore(lane_range(builder_, square[i], 0, count), place, align);
    }
  }
}

/// The loops over the steps, from loop `depth` of the chain on; the blocks have the same pack and lanes.
void KernelEmitter::pack_steps(const std::vector<PackedBlock>& blocks, std::size_t depth) {
  const PackedBlock& any = blocks.front();
  const Loop& loop = *any.pack.chain[depth];
  Value* end = bounds_->extent(loop);
  if (depth + 1 < any.pack.chain.size()) {
    return emit_plain(builder_, {i64(builder_, 0), end}, 1, loop.name, [&](Value* at) {
      elements_.set_var(loop.var, at);
      pack_steps(blocks, depth + 1);
    });
  }
  Value* begin = i64(builder_, 0);
  const auto element_bytes = static_cast<unsigned>(dtype_bytes(any.pack.load->dtype));
  const unsigned side = std::min(std::bit_ceil(any.lanes.width), core_.vector_bytes / element_bytes);
  if (any.pack.is_turned() && side > 1) {
    Value* whole = whole_part(builder_, end, side);
    emit_plain(builder_, {begin, whole}, side, loop.name, [&](Value* at) {
      for (const PackedBlock& block : blocks) pack_square(block, at, side);
    });
    begin = whole;
  }
  emit_plain(builder_, {begin, end}, 1, loop.name, [&](Value* at) {
    for (const PackedBlock& block : blocks) pack_step(block, at);
  });
}

KernelEmitter::PackedBlock KernelEmitter::packed_block(const loop::Operand& pack, std::int64_t lanes) {
  PackedBlock block{pack,   memory_type(builder_.getContext(), pack.load->dtype), nullptr, {}, {}, nullptr,
                    nullptr};
  block.align = lanes_align(block, 1);
  block.memory = scratch_->take(pack.steps * lanes * dtype_bytes(pack.load->dtype));
  return block;
}

void KernelEmitter::fill(const std::vector<PackedBlock>& blocks) {
  elements_.at_lanes(blocks.front().lanes, [&] {
    // Only one block at a time needs what stands before the chains.
    if (blocks.front().before != nullptr) {
      elements_.set_var(blocks.front().lanes.var, blocks.front().first);
      for (const loop::Statement& statement : *blocks.front().before) {
        if (statement.instruction) elements_.emit_instruction(*statement.instruction);
      }
    }
    pack_steps(blocks, 0);
  });
}

/// The part of `packed` that belongs to `panel` at `column`, where the copy begins at `first`.
KernelEmitter::PackedBlock KernelEmitter::panel_of(const PackedBlock& packed, const loop::Panel& panel,
                                                   Value* column, Value* first) {
  PackedBlock part = packed;
  Value* elements = builder_.CreateMul(builder_.CreateSub(column, first), i64(builder_, packed.pack.steps));
  part.memory = builder_.CreateInBoundsGEP(packed.element, packed.memory, elements);
  part.lanes.width = panel.width;
  part.lanes.used = panel.lanes();
  part.first = column;
  part.align = lanes_align(packed, panel.width);
  return part;
}

/// From now on the column operand of this panel is read from its copy.
void KernelEmitter::read_panel(const PackedBlock& part) {
  llvm::Type* row = llvm::FixedVectorType::get(part.element, part.lanes.width);
  elements_.set_packed(part.pack.load->result, [this, part, row] {
    Value* place = packed_place(part, elements_.var(part.pack.chain.back()->var), 0);
    return builder_.CreateAlignedLoad(row, place, part.align);
  });
}

}  // namespace dlg
