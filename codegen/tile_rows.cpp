#include "codegen/tile_rows.h"

#include <algorithm>

#include "ir/loop/operands.h"
#include "ir/loop/schedule.h"
#include "support/defects.h"

namespace dlg {

using llvm::Value;
using loop::Loop;

TileRows tile_rows(const KernelSite& site, const Loop& rows) {
  llvm::IRBuilder<>& builder = site.builder;
  const loop::Program& program = site.program;
  TileRows result{.loop = rows, .tile = rows.schedule->tile, .rest = rows.schedule->rest};
  const std::int64_t whole_count = loop::whole_tiles(program, rows, loop::declared_extent(program, rows));
  Value* count = i64(builder, whole_count + (result.rest.empty() ? 0 : 1));
  if (!result.rest.empty() && has_defect(Defect::kLongTileRest)) ++result.rest.back();
  result.end = site.bounds.extent(rows);
  result.whole = i64(builder, whole_count);
  if (rows.extent == kBatch) {
    Value* tile = i64(builder, result.tile);
    result.is_expected = builder.CreateICmpEQ(result.end, i64(builder, program.batch));
    Value* whole = builder.CreateUDiv(result.end, tile);
    Value* up = builder.CreateUDiv(builder.CreateAdd(result.end, i64(builder, result.tile - 1)), tile);
    result.whole = builder.CreateSelect(result.is_expected, result.whole, whole);
    count = builder.CreateSelect(result.is_expected, count, up);
  }
  result.units = {i64(builder, 0), count};
  return result;
}

namespace {

using TileBody = std::function<void(Value* row, unsigned count)>;

/// The tiles of the expected rest from row `at` on; answers the row behind them.
Value* for_each_rest(const KernelSite& site, const TileRows& rows, Value* at, Value* has_rest,
                     const TileBody& body) {
  llvm::IRBuilder<>& builder = site.builder;
  for (std::size_t i = 0; i < rows.rest.size(); ++i) {
    std::int64_t count = 1;
    while (i + 1 < rows.rest.size() && rows.rest[i + 1] == rows.rest[i]) ++i, ++count;
    Value* next = builder.CreateAdd(at, i64(builder, count * rows.rest[i]));
    Value* is_taken = rows.is_expected == nullptr ? has_rest : builder.CreateAnd(has_rest, rows.is_expected);
    next = builder.CreateSelect(is_taken, next, at);
    emit_plain(builder, {at, next}, rows.rest[i], rows.loop.name,
               [&](Value* row) { body(row, rows.rest[i]); });
    at = next;
  }
  return at;
}

}  // namespace

void for_each_tile(const KernelSite& site, const TileRows& rows, const TileBody& body) {
  llvm::IRBuilder<>& builder = site.builder;
  const std::string& name = rows.loop.name;
  const auto [first, last] = rows.units;
  Value* tile = i64(builder, rows.tile);
  Value* whole = smaller(builder, last, rows.whole);
  emit_plain(builder, {builder.CreateMul(first, tile), builder.CreateMul(whole, tile)}, rows.tile, name,
             [&](Value* row) { body(row, rows.tile); });
  Value* at = builder.CreateMul(rows.whole, tile);
  Value* ends_behind = builder.CreateICmpSGT(last, rows.whole);
  Value* has_rest = builder.CreateAnd(builder.CreateICmpSLE(first, rows.whole), ends_behind);
  Value* end = builder.CreateSelect(has_rest, rows.end, at);
  at = for_each_rest(site, rows, at, has_rest, body);
  if (rows.is_expected == nullptr) return;
  emit_plain(builder, {at, end}, 1, name, [&](Value* row) { body(row, 1); });
}

void prefetch_far(ElementEmitter& elements, const Loop& rows, const loop::TileParts& parts) {
  const std::vector<loop::RegId>& far = rows.schedule->prefetched;
  for (const loop::Statement* statement : parts.after) {
    const bool is_far = statement->instruction &&
                        std::find(far.begin(), far.end(), statement->instruction->result) != far.end();
    if (is_far) elements.prefetch(*statement->instruction, rows.schedule->prefetch_level);
  }
}

}  // namespace dlg
