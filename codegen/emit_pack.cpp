#include "codegen/emit_pack.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "codegen/alignment.h"
#include "codegen/emit.h"
#include "codegen/turned_square.h"

namespace dlg {

using llvm::Value;
using loop::Loop;

namespace {

/// Of what lies a multiple of `lanes` lanes behind the beginning of the copy.
llvm::Align lanes_align(const PackedBlock& block, unsigned lanes) {
  return llvm::Align(scratch_alignment(lanes * dtype_bytes(block.pack.load->dtype)));
}

/// Where lane `lane` of step `step` of the innermost loop lies; the loops around are at their variables.
Value* packed_place(const KernelSite& site, const PackedBlock& block, Value* step, unsigned lane) {
  llvm::IRBuilder<>& builder = site.builder;
  Value* position = i64(builder, 0);
  for (const Loop* loop : block.pack.chain) {
    const std::int64_t extent = loop::declared_extent(site.program, *loop);
    Value* at = loop == block.pack.chain.back() ? step : site.elements.var(loop->var);
    position = plus(builder, times(builder, position, extent), at);
  }
  position = plus(builder, times(builder, position, block.lanes.width), i64(builder, lane));
  return builder.CreateInBoundsGEP(block.element, block.memory, position);
}

/// What the load needs for lane 0 of step `step`.
void emit_inputs(const KernelSite& site, const PackedBlock& block, Value* step) {
  site.elements.set_var(block.lanes.var, block.first);
  site.elements.set_var(block.pack.chain.back()->var, step);
  for (const loop::Instruction* input : block.pack.inputs) site.elements.emit_instruction(*input);
}

/// One step: the elements of all lanes as the load instruction reads them.
void pack_step(const KernelSite& site, const PackedBlock& block, Value* step) {
  emit_inputs(site, block, step);
  Value* place = packed_place(site, block, step, 0);
  site.builder.CreateAlignedStore(site.elements.load(*block.pack.load), place, block.align);
}

/// The part of a square's lanes that a panel or tile has from `first` on.
Square square_of(const PackedBlock& block, unsigned first, unsigned side) {
  const unsigned count = std::min(side, block.lanes.width - first);
  const unsigned used = std::min(count, block.lanes.used - std::min(first, block.lanes.used));
  return {block.element, lanes_align(block, 1), side, used, count, block.lanes.width};
}

/// The steps of a square for each of its lanes, wherever a lane lies.
Values load_square(const KernelSite& site, const PackedBlock& block, unsigned first, const Square& square) {
  llvm::Type* vector = llvm::FixedVectorType::get(block.element, square.side);
  Values lanes;
  for (unsigned lane = first; lane < first + square.used; ++lane) {
    const auto [place, align] = site.elements.lane_place(*block.pack.load, lane);
    lanes.push_back(site.builder.CreateAlignedLoad(vector, place, align));
  }
  return lanes;
}

/// The first `steps` steps of the innermost loop, in squares: the steps of one lane are neighbours in memory.
void pack_squares(const KernelSite& site, const PackedBlock& block, unsigned side, Value* steps) {
  std::vector<Square> beside;
  for (unsigned first = 0; first < block.lanes.width; first += side)
    beside.push_back(square_of(block, first, side));
  Value* begin = i64(site.builder, 0);
  if (!block.pack.is_scattered) {
    emit_inputs(site, block, begin);
    Value* from = site.elements.lane_place(*block.pack.load, 0).pointer;
    Value* to = packed_place(site, block, begin, 0);
    emit_turned_run(site.builder, {std::move(beside), from, block.pack.lane_stride, to, steps});
    return;
  }
  emit_plain(site.builder, {begin, steps}, side, block.pack.chain.back()->name, [&](Value* at) {
    emit_inputs(site, block, at);
    unsigned first = 0;
    for (const Square& square : beside) {
      Value* to = packed_place(site, block, at, first);
      store_turned(site.builder, square, load_square(site, block, first, square), to);
      first += side;
    }
  });
}

/// The steps of the innermost loop, in squares as far as they go. Only a part that is alone has squares.
void pack_chain(const KernelSite& site, const std::vector<PackedBlock>& parts) {
  const PackedBlock& any = parts.front();
  const Loop& loop = *any.pack.chain.back();
  Value* begin = i64(site.builder, 0);
  Value* end = site.bounds.extent(loop);
  const unsigned side = std::min(std::bit_ceil(any.lanes.width), any.how.square);
  if (side > 1) {
    begin = whole_part(site.builder, end, side);
    for (const PackedBlock& block : parts) pack_squares(site, block, side, begin);
  }
  emit_plain(site.builder, {begin, end}, 1, loop.name, [&](Value* at) {
    for (const PackedBlock& block : parts) pack_step(site, block, at);
  });
}

/// The loops over the steps, from loop `depth` of the chain on.
void pack_steps(const KernelSite& site, const std::vector<PackedBlock>& parts, std::size_t depth) {
  const std::vector<const Loop*>& chain = parts.front().pack.chain;
  if (depth + 1 == chain.size()) return pack_chain(site, parts);
  const Loop& loop = *chain[depth];
  emit_plain(site.builder, {i64(site.builder, 0), site.bounds.extent(loop)}, 1, loop.name, [&](Value* at) {
    site.elements.set_var(loop.var, at);
    pack_steps(site, parts, depth + 1);
  });
}

PackedBlock part_of(const KernelSite& site, const PackedBlock& packed, Value* first, Value* origin) {
  PackedBlock part = packed;
  Value* distance = site.builder.CreateSub(first, origin);
  Value* elements = site.builder.CreateMul(distance, i64(site.builder, packed.pack.steps));
  part.memory = site.builder.CreateInBoundsGEP(packed.element, packed.memory, elements);
  part.first = first;
  return part;
}

}  // namespace

PackedBlock packed_block(const KernelSite& site, const std::vector<loop::Operand>& operands,
                         const loop::Pack& how, loop::VarId var, std::int64_t lanes) {
  const loop::Operand& operand = *loop::packed_operand(operands, how);
  const DType dtype = operand.load->dtype;
  PackedBlock block{.pack = operand, .how = how, .element = memory_type(site.builder.getContext(), dtype)};
  block.memory = site.scratch.take(operand.steps * lanes * dtype_bytes(dtype));
  block.lanes.var = var;
  block.align = lanes_align(block, 1);
  return block;
}

PackedBlock panel_part(const KernelSite& site, const PackedBlock& packed, const loop::Panel& panel,
                       Value* column, Value* origin) {
  PackedBlock part = part_of(site, packed, column, origin);
  part.lanes.width = panel.width;
  part.lanes.used = panel.lanes();
  part.align = lanes_align(packed, panel.width);
  return part;
}

PackedBlock tile_part(const KernelSite& site, const PackedBlock& packed, unsigned count, Value* row,
                      Value* origin) {
  PackedBlock part = part_of(site, packed, row, origin);
  part.lanes.width = count;
  part.lanes.used = count;
  return part;
}

void fill(const KernelSite& site, const std::vector<PackedBlock>& parts) {
  const PackedBlock& any = parts.front();
  site.elements.at_lanes(any.lanes, [&] {
    // Only one part at a time needs what stands before the chains.
    if (any.before != nullptr) {
      site.elements.set_var(any.lanes.var, any.first);
      for (const loop::Statement& statement : *any.before) {
        if (statement.instruction) site.elements.emit_instruction(*statement.instruction);
      }
    }
    pack_steps(site, parts, 0);
  });
}

void read_panel(const KernelSite& site, const PackedBlock& part) {
  const unsigned width = part.lanes.width;
  llvm::Type* row = width == 1 ? part.element : llvm::FixedVectorType::get(part.element, width);
  site.elements.set_packed(part.pack.load->result, [&site, part, row] {
    Value* place = packed_place(site, part, site.elements.var(part.pack.chain.back()->var), 0);
    return site.builder.CreateAlignedLoad(row, place, part.align);
  });
}

void read_tile(const KernelSite& site, const PackedBlock& part) {
  site.elements.set_packed(part.pack.load->result, [&site, part] {
    Value* step = site.elements.var(part.pack.chain.back()->var);
    Value* place = packed_place(site, part, step, site.elements.row());
    return site.builder.CreateAlignedLoad(part.element, place, part.align);
  });
}

void read_in_place(const KernelSite& site, const PackedBlock& packed) {
  site.elements.clear_packed(packed.pack.load->result);
}

}  // namespace dlg
