#include "codegen/emit_overlap.h"

#include <algorithm>

#include "codegen/carried_values.h"
#include "codegen/emit_loops.h"

namespace dlg {

using llvm::Value;
using loop::Loop;
using loop::Statement;

OverlappedTiles::OverlappedTiles(const KernelSite& site, const TilePanel& under)
    : site_(site),
      builder_(site.builder),
      elements_(site.elements),
      under_(under),
      rows_(under.rows.loop),
      parts_(loop::tile_parts(rows_)),
      chain_(*loop::single_chain(parts_)),
      count_(site.slots.take(builder_.getInt64Ty(), "waiting")),
      row_(site.slots.take(builder_.getInt64Ty(), "waiting")),
      column_(site.slots.take(builder_.getInt64Ty(), "waiting")),
      sums_(site, under, under.rows.tile) {
  site_.slots.store(i64(builder_, 0), count_);
}

void OverlappedTiles::emit_tile() {
  const SumPlace place{elements_.var(rows_.var), elements_.var(under_.columns().var)};
  const bool has_blocks = chain_.step > 1;
  Value* end = site_.bounds.extent(chain_);
  Value* first_end = has_blocks ? smaller(builder_, i64(builder_, chain_.step), end) : end;
  Values sums;
  at_tile(place, [&] {
    prefetch_far(elements_, rows_, parts_);
    sums = emit_before_chain(site_, parts_);
    if (has_blocks) sums = enter_block(sums);
  });
  sums_.take(sums);
  sums = emit_beside(place, std::move(sums), first_end);
  if (has_blocks) at_tile(place, [&] { sums = leave_block(sums, end); });
  store_waiting(sums, place);
}

void OverlappedTiles::at_tile(const SumPlace& place, const std::function<void()>& emit) {
  elements_.set_var(rows_.var, place.row);
  elements_.set_var(under_.columns().var, place.column);
  elements_.at_lanes(under_.lanes(), [&] { elements_.at_rows(under_.rows.tile, rows_.var, emit); });
}

/// All that stands before the steps of the first block; what they begin with.
Values OverlappedTiles::enter_block(const Values& totals) {
  site_.bounds.set_block_step(chain_);
  elements_.set_var(chain_.var, i64(builder_, 0));
  set_tile_values(elements_, chain_, &loop::Carried::current, totals);
  const auto block = loop::block_in(chain_);
  for (auto at = chain_.body.begin(); at != block; ++at) emit_statement(site_, *at);
  set_carried_dtypes(elements_, block->loop.front());
  return tile_values(elements_, block->loop.front(), &loop::Carried::initial);
}

/// All that stands behind the steps of the first block, and the other blocks up to `end`.
Values OverlappedTiles::leave_block(const Values& sums, Value* end) {
  const auto block = loop::block_in(chain_);
  elements_.set_var(chain_.var, i64(builder_, 0));
  set_tile_values(elements_, block->loop.front(), &loop::Carried::result, sums);
  for (auto at = block + 1; at != chain_.body.end(); ++at) emit_statement(site_, *at);
  const Values totals = tile_values(elements_, chain_, &loop::Carried::next);
  const CountedLoop others{i64(builder_, chain_.step), end, chain_.step, chain_.name, totals};
  return emit_iterations(site_, chain_, others);
}

/// The steps up to `end`, in as many pieces as rows wait and one more; before each of those pieces a row.
Values OverlappedTiles::emit_beside(const SumPlace& place, Values sums, Value* end) {
  const Loop& steps = loop::steps_of(chain_);
  const auto step_beside = [&](Value* number) {
    return smaller(builder_, builder_.CreateMul(number, i64(builder_, rows_.schedule->beside_steps)), end);
  };
  const auto add_steps = [&](Value* first, Value* last) {
    at_tile(place, [&] { sums = emit_iterations(site_, steps, {first, last, 1, steps.name, sums}); });
  };
  Value* count = site_.slots.load(builder_.getInt64Ty(), count_);
  const CountedLoop waiting{i64(builder_, 0), count, 1, "waiting", sums};
  sums = emit_counted(builder_, waiting, [&](Value* number, const Values& now) {
    emit_waiting_row(number);
    sums = now;
    Value* last = step_beside(builder_.CreateAdd(number, i64(builder_, 1)));
    add_steps(step_beside(number), last);
    return sums;
  });
  add_steps(step_beside(count), end);
  return sums;
}

/// What is done to the sums of row `number` of those that wait.
void OverlappedTiles::emit_waiting_row(Value* number) {
  Value* first = site_.slots.load(builder_.getInt64Ty(), row_);
  Value* column = site_.slots.load(builder_.getInt64Ty(), column_);
  sums_.emit_row(number, {builder_.CreateAdd(first, number), column});
}

void OverlappedTiles::store_waiting(const Values& sums, const SumPlace& place) {
  sums_.store(sums);
  site_.slots.store(i64(builder_, under_.rows.tile), count_);
  site_.slots.store(place.row, row_);
  site_.slots.store(place.column, column_);
}

void OverlappedTiles::emit_left() {
  if (sums_.are_taken()) {
    Value* count = site_.slots.load(builder_.getInt64Ty(), count_);
    emit_plain(builder_, {i64(builder_, 0), count}, 1, "left",
               [&](Value* number) { emit_waiting_row(number); });
  }
  sums_.give_back();
  site_.slots.give_back({count_, row_, column_});
}

}  // namespace dlg
