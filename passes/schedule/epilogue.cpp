#include "passes/schedule/epilogue.h"

#include <algorithm>
#include <set>

#include "ir/loop/nest.h"
#include "ir/loop/operands.h"
#include "ir/loop/scalar_info.h"

namespace dlg {
namespace {

using loop::Instruction;
using loop::Statement;

/// More of them are not written out for each row.
constexpr std::int64_t kMostOperations = 300;
/// What an elementary function of one vector is written out as; for several vectors it is called.
constexpr std::int64_t kFunctionOperations = 40;

std::int64_t operations_of(const Statement& statement, std::int64_t vectors) {
  const bool is_function =
      statement.instruction && loop::scalar_info(statement.instruction->op).unit == loop::Unit::kFunction;
  return is_function && vectors == 1 ? kFunctionOperations : vectors;
}

/// What occupies another unit than the multiply-adds, and long.
bool is_slow(const Statement* statement) {
  return statement->instruction && loop::scalar_info(statement->instruction->op).unit == loop::Unit::kDivider;
}

/// Whether each row has elements of its own there, at a place that is known without a register.
bool is_of_row(const Instruction& load, loop::VarId row) {
  bool is_found = false;
  if (loop::has_computed_index(load)) return false;
  for (const loop::Index& index : load.indices) {
    for (const loop::Index::Term& term : index.terms) is_found |= term.var == row;
  }
  return is_found;
}

}  // namespace

std::vector<loop::RegId> far_loads(const loop::Program& program, const loop::Loop& rows,
                                   const loop::Core& core) {
  std::vector<loop::RegId> far;
  for (const Statement* statement : loop::tile_parts(rows).after) {
    if (!statement->instruction || statement->instruction->op != loop::Op::kLoad) continue;
    const Instruction& load = *statement->instruction;
    const std::int64_t bytes = loop::bytes_of(program.buffers[load.buffer], program.batch);
    if (is_of_row(load, rows.var) && bytes > core.near_bytes) far.push_back(load.result);
  }
  return far;
}

namespace {

/// Fewer iterations are no shorter chains.
constexpr std::int64_t kLeastIterations = 4;

void collect_buffers(const loop::Body& body, std::set<loop::BufferId>& buffers) {
  for (const Statement& statement : body) {
    if (statement.instruction && statement.instruction->op == loop::Op::kLoad)
      buffers.insert(statement.instruction->buffer);
    for (const loop::Loop& inner : statement.loop) collect_buffers(inner.body, buffers);
  }
}

}  // namespace

bool should_wait(const loop::Program& program, const loop::LoopPath& path, const loop::Core& core) {
  if (path.size() < 2 || !loop::may_wait(path)) return false;
  const loop::Loop& chain = *loop::chain_of_chains(loop::tile_parts(*path.back()));
  std::set<loop::BufferId> buffers;
  collect_buffers(chain.body, buffers);
  std::int64_t bytes = 0;
  for (const loop::BufferId buffer : buffers) bytes += loop::bytes_of(program.buffers[buffer], program.batch);
  return chain.extent >= kLeastIterations && bytes > core.reach_bytes;
}

loop::Epilogue choose_epilogue(const loop::Loop& rows, const std::vector<loop::RegId>& far) {
  const loop::TileParts parts = loop::tile_parts(rows);
  const bool has_loops_after = std::any_of(parts.after.begin(), parts.after.end(),
                                           [](const Statement* s) { return !s->loop.empty(); });
  const bool is_slow_and_far = !far.empty() && std::any_of(parts.after.begin(), parts.after.end(), is_slow);
  return !has_loops_after && loop::single_chain(parts) != nullptr && is_slow_and_far
             ? loop::Epilogue::kBeside
             : loop::Epilogue::kBehind;
}

loop::Epilogue shortened(loop::Epilogue epilogue, const loop::Loop& rows, const WrittenSums& sums) {
  const loop::TileParts parts = loop::tile_parts(rows);
  if (epilogue != loop::Epilogue::kBehind || loop::single_chain(parts) == nullptr) return epilogue;
  std::int64_t operations = 0;
  for (const Statement* statement : parts.after) operations += operations_of(*statement, sums.vectors);
  return operations * sums.rows > kMostOperations ? loop::Epilogue::kByRows : epilogue;
}

std::int64_t steps_beside(const loop::Program& program, const loop::Loop& rows, unsigned tile) {
  const loop::Loop& chain = *loop::single_chain(loop::tile_parts(rows));
  const std::int64_t steps = chain.step > 1 ? chain.step : loop::declared_extent(program, chain);
  return std::max<std::int64_t>(1, steps / tile);
}

}  // namespace dlg
