// Owns the emission of tiles whose sums are updated beside the chains of the next tile: divisions, roots and
// what comes from far away take long, and multiply-adds need not wait for them.
#include <algorithm>

#include "codegen/kernel_emitter.h"

namespace dlg {

using llvm::Value;
using loop::Loop;
using loop::Statement;

/// None wait.
KernelEmitter::Waiting KernelEmitter::waiting_sums(const Loop& rows) {
  loop::TileParts parts = loop::tile_parts(rows);
  const Loop& chain = *loop::single_chain(parts);
  Waiting waiting{std::move(parts), chain, {}};
  for (Value** place : {&waiting.count, &waiting.row, &waiting.column})
    *place = slots_->take(builder_.getInt64Ty(), "waiting");
  slots_->store(i64(builder_, 0), waiting.count);
  return waiting;
}

/// What chains begin with, after all that stands before them.
Values KernelEmitter::initial_sums(const Waiting& waiting) {
  for (const Statement* statement : waiting.parts.chains) {
    if (statement->instruction) elements_.emit_instruction(*statement->instruction);
  }
  set_carried_dtypes(elements_, waiting.chain);
  return tile_values(elements_, waiting.chain, &loop::Carried::initial);
}

/// All that stands before the steps of the first block; what they begin with.
Values KernelEmitter::enter_block(const Loop& chain, const Values& totals) {
  bounds_->set_block_step(chain);
  elements_.set_var(chain.var, i64(builder_, 0));
  set_tile_values(elements_, chain, &loop::Carried::current, totals);
  const auto block = loop::block_in(chain);
  for (auto at = chain.body.begin(); at != block; ++at) emit_statement(*at);
  set_carried_dtypes(elements_, block->loop.front());
  return tile_values(elements_, block->loop.front(), &loop::Carried::initial);
}

/// All that stands behind the steps of the first block, and the other blocks.
Values KernelEmitter::leave_block(const Loop& chain, const Values& sums, Value* end) {
  const auto block = loop::block_in(chain);
  elements_.set_var(chain.var, i64(builder_, 0));
  set_tile_values(elements_, block->loop.front(), &loop::Carried::result, sums);
  for (auto at = block + 1; at != chain.body.end(); ++at) emit_statement(*at);
  const Values totals = tile_values(elements_, chain, &loop::Carried::next);
  return emit_iterations(chain, {i64(builder_, chain.step), end, chain.step, chain.name, totals});
}

/// The chains of a tile, and beside them - beside the first block - the update of the one before, a row every
/// few steps. Then the sums wait in their turn.
void KernelEmitter::emit_overlapped_tile(const PanelBlock& block, Waiting& waiting) {
  const Loop& rows = block.rows.loop;
  const Loop& chain = waiting.chain;
  const loop::VarId column_var = column_loop(block.rows).var;
  Value* row = elements_.var(rows.var);
  Value* column = elements_.var(column_var);
  const unsigned tile = block.rows.tile;
  const Loop& inner = loop::steps_of(chain);
  const std::int64_t extent = chain.extent == kBatch ? program_.batch : chain.extent;
  const bool has_blocks = chain.step > 1;
  const std::int64_t steps = std::max<std::int64_t>(1, (has_blocks ? chain.step : extent) / tile);
  Value* end = bounds_->extent(chain);
  Value* first_end = has_blocks ? smaller(builder_, i64(builder_, chain.step), end) : end;
  const auto step_beside = [&](Value* number) {
    return smaller(builder_, builder_.CreateMul(number, i64(builder_, steps)), first_end);
  };
  Values sums;
  const auto at_tile = [&](const std::function<void()>& emit) {
    elements_.set_var(rows.var, row);
    elements_.set_var(column_var, column);
    elements_.at_lanes(lanes_of(block), [&] { elements_.at_rows(tile, rows.var, emit); });
  };
  const auto add_steps = [&](Value* first, Value* last) {
    at_tile([&] { sums = emit_iterations(inner, {first, last, 1, inner.name, sums}); });
  };
  at_tile([&] {
    prefetch_far(waiting.parts, rows);
    sums = initial_sums(waiting);
    if (has_blocks) sums = enter_block(chain, sums);
  });
  if (waiting.sums.empty()) {
    for (std::size_t i = 0; i < sums.size(); i += tile)
      waiting.sums.push_back(slots_->take(llvm::ArrayType::get(sums[i]->getType(), tile), "sums"));
  }
  Value* count = slots_->load(builder_.getInt64Ty(), waiting.count);
  sums = emit_counted(
      builder_, {i64(builder_, 0), count, 1, "waiting", sums}, [&](Value* number, const Values& now) {
        emit_waiting_row(block, waiting, number);
        sums = now;
        add_steps(step_beside(number), step_beside(builder_.CreateAdd(number, i64(builder_, 1))));
        return sums;
      });
  add_steps(step_beside(count), first_end);
  if (has_blocks) at_tile([&] { sums = leave_block(chain, sums, end); });
  for (std::size_t i = 0; i < sums.size(); ++i) {
    Value* place = builder_.CreateConstInBoundsGEP1_64(sums[i]->getType(), waiting.sums[i / tile], i % tile);
    slots_->store(sums[i], place);
  }
  slots_->store(i64(builder_, tile), waiting.count);
  slots_->store(row, waiting.row);
  slots_->store(column, waiting.column);
}

/// What is done to the sums of row `number` of those that wait.
void KernelEmitter::emit_waiting_row(const PanelBlock& block, const Waiting& waiting, Value* number) {
  const Loop& rows = block.rows.loop;
  Value* first = slots_->load(builder_.getInt64Ty(), waiting.row);
  elements_.set_var(rows.var, builder_.CreateAdd(first, number));
  elements_.set_var(column_loop(block.rows).var, slots_->load(builder_.getInt64Ty(), waiting.column));
  elements_.at_lanes(lanes_of(block), [&] {
    initial_sums(waiting);
    for (std::size_t i = 0; i < waiting.sums.size(); ++i) {
      auto* slot = llvm::cast<llvm::AllocaInst>(waiting.sums[i]);
      llvm::Type* sum = llvm::cast<llvm::ArrayType>(slot->getAllocatedType())->getElementType();
      Value* place = builder_.CreateInBoundsGEP(sum, slot, number);
      elements_.set_reg(waiting.chain.carried[i].result, slots_->load(sum, place));
    }
    for (const Statement* statement : waiting.parts.after) emit_statement(*statement);
  });
}

/// The sums that no other tile follows; then nothing waits any more.
void KernelEmitter::emit_left_updates(const PanelBlock& block, const Waiting& waiting) {
  if (!waiting.sums.empty()) {
    Value* count = slots_->load(builder_.getInt64Ty(), waiting.count);
    emit_plain(builder_, {i64(builder_, 0), count}, 1, "left",
               [&](Value* number) { emit_waiting_row(block, waiting, number); });
  }
  slots_->give_back(waiting.sums);
  slots_->give_back({waiting.count, waiting.row, waiting.column});
}

}  // namespace dlg
