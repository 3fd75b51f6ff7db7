#include "ir/loop/nest.h"

#include <algorithm>
#include <functional>
#include <set>

#include "ir/loop/affine_bounds.h"
#include "support/arithmetic.h"

namespace dlg::loop {

std::size_t group_size(const Body& body, std::size_t first) {
  const auto begin = body.begin() + static_cast<std::ptrdiff_t>(first);
  const auto end = std::find_if_not(begin + 1, body.end(), [](const Statement& s) {
    return s.instruction && s.instruction->joins_previous;
  });
  return static_cast<std::size_t>(end - begin);
}

bool has_computed_index(const Instruction& load) {
  return std::any_of(load.indices.begin(), load.indices.end(),
                     [](const Index& index) { return index.dynamic.is_valid(); });
}

bool has_loops(const Body& body) {
  return std::any_of(body.begin(), body.end(), [](const Statement& s) { return !s.loop.empty(); });
}

namespace {

bool has_bound_on(const Loop& loop, VarId var) {
  const auto is_on = [&](const Bound& bound) {
    return std::any_of(bound.value.terms.begin(), bound.value.terms.end(),
                       [&](const Index::Term& term) { return term.var == var; });
  };
  return std::any_of(loop.lower.begin(), loop.lower.end(), is_on) ||
         std::any_of(loop.upper.begin(), loop.upper.end(), is_on);
}

/// Whether a loop in `body` has a bound that depends on `var`. Loops nest at most as deep as axes do.
bool has_bounds_on(const Body& body, VarId var) {
  const auto depends = [var](const Loop& loop) { return has_bound_on(loop, var); };
  return std::any_of(body.begin(), body.end(), [&](const Statement& statement) {
    return std::any_of(statement.loop.begin(), statement.loop.end(), [&](const Loop& loop) {
      return depends(loop) || std::any_of(loop.around.begin(), loop.around.end(), depends) ||
             has_bounds_on(loop.body, var);
    });
  });
}

}  // namespace

bool is_uniform(const Loop& loop) {
  return !has_bounds(loop) && !has_bounds_on(loop.body, loop.var);
}

namespace {

/// Serial loops all the way down.
bool is_chain(const Loop& loop) {
  return loop.kind == LoopKind::kSerial &&
         std::all_of(loop.body.begin(), loop.body.end(), [](const Statement& s) {
           return !s.store && std::all_of(s.loop.begin(), s.loop.end(), is_chain);
         });
}

bool has_only_chains(const Body& body) {
  return std::all_of(body.begin(), body.end(),
                     [](const Statement& s) { return std::all_of(s.loop.begin(), s.loop.end(), is_chain); });
}

}  // namespace

bool is_tileable(const Loop& rows) {
  if (rows.kind != LoopKind::kParallel || rows.body.empty() || rows.body.back().loop.empty()) return false;
  const bool is_plain_before = std::all_of(rows.body.begin(), rows.body.end() - 1,
                                           [](const Statement& s) { return s.instruction.has_value(); });
  const Loop& columns = rows.body.back().loop.front();
  return is_plain_before && columns.kind == LoopKind::kVector && has_loops(columns.body) &&
         has_only_chains(columns.body) && is_uniform(rows) && is_uniform(columns);
}

namespace {

/// Lanes that multiply and add, and loops over blocks of them. Loops nest at most as deep as axes do.
bool is_contraction_in_lanes(const Loop& loop) {
  if (loop.kind == LoopKind::kLanes) {
    return !has_loops(loop.body) && std::any_of(loop.body.begin(), loop.body.end(), [](const Statement& s) {
      return s.instruction && s.instruction->op == Op::kFma;
    });
  }
  return loop.kind == LoopKind::kSerial && has_loops(loop.body) &&
         std::all_of(loop.body.begin(), loop.body.end(), [](const Statement& s) {
           return !s.store && std::all_of(s.loop.begin(), s.loop.end(), is_contraction_in_lanes);
         });
}

}  // namespace

bool has_lanes_in_rows(const Loop& rows) {
  return rows.kind == LoopKind::kParallel && rows.extent != kBatch && has_loops(rows.body) &&
         is_uniform(rows) && std::all_of(rows.body.begin(), rows.body.end(), [](const Statement& s) {
           return std::all_of(s.loop.begin(), s.loop.end(), is_contraction_in_lanes);
         });
}

/// Loops nest at most as deep as axes do.
bool has_tiles(const Body& body) {
  return std::any_of(body.begin(), body.end(), [](const Statement& s) {
    return !s.loop.empty() && (is_tileable(s.loop.front()) || has_tiles(s.loop.front().body));
  });
}

namespace {

/// Whether `statement` is a chain or defines a register of `needed`; what it reads joins them then.
bool takes_part(const Statement& statement, std::set<RegId>& needed) {
  if (!statement.instruction) return true;
  if (!needed.contains(statement.instruction->result)) return false;
  needed.insert(statement.instruction->args.begin(), statement.instruction->args.end());
  for (const Index& index : statement.instruction->indices) {
    if (index.dynamic.is_valid()) needed.insert(index.dynamic);
  }
  return true;
}

/// Every register that is read in `loop`. Loops nest at most as deep as axes do.
void collect_reads(const Loop& loop, std::set<RegId>& reads) {
  for (const Carried& carried : loop.carried) reads.insert(carried.initial);
  for (const Statement& statement : loop.body) {
    for (const Loop& inner : statement.loop) collect_reads(inner, reads);
    if (!statement.instruction) continue;
    reads.insert(statement.instruction->args.begin(), statement.instruction->args.end());
    for (const Index& index : statement.instruction->indices) {
      if (index.dynamic.is_valid()) reads.insert(index.dynamic);
    }
  }
}

}  // namespace

TileParts tile_parts(const Loop& rows) {
  const Body& columns = rows.body.back().loop.front().body;
  std::vector<const Statement*> all;
  for (auto at = rows.body.begin(); at != rows.body.end() - 1; ++at) all.push_back(&*at);
  for (const Statement& statement : columns) all.push_back(&statement);
  std::size_t end = all.size();
  while (all[end - 1]->loop.empty()) --end;
  const auto last = all.begin() + static_cast<std::ptrdiff_t>(end);
  // What is stored between chains may be read again behind it.
  if (std::any_of(all.begin(), last, [](const Statement* s) { return s->store.has_value(); }))
    return {{all.begin(), last}, {last, all.end()}};
  TileParts parts;
  std::set<RegId> needed;
  for (std::size_t i = end; i-- > 0;) {
    for (const Loop& chain : all[i]->loop) collect_reads(chain, needed);
    (takes_part(*all[i], needed) ? parts.chains : parts.after).push_back(all[i]);
  }
  std::reverse(parts.chains.begin(), parts.chains.end());
  std::reverse(parts.after.begin(), parts.after.end());
  parts.after.insert(parts.after.end(), last, all.end());
  return parts;
}

const Loop& column_loop(const Loop& rows) {
  return rows.body.back().loop.front();
}

Body::const_iterator block_in(const Loop& chain) {
  return std::find_if(chain.body.begin(), chain.body.end(),
                      [](const Statement& s) { return !s.loop.empty(); });
}

namespace {

/// Whether `chain` runs over blocks, each of which is one loop.
bool has_plain_blocks(const Loop& chain) {
  const auto block = block_in(chain);
  const bool is_alone =
      block != chain.body.end() &&
      std::none_of(block + 1, chain.body.end(), [](const auto& s) { return !s.loop.empty(); });
  return chain.step > 1 && is_alone && block->loop.front().block == chain.var &&
         !has_bounds(block->loop.front()) && !has_loops(block->loop.front().body);
}

/// The one loop of `parts.chains`; null: there are several, something is stored between, or it is a block.
const Loop* only_chain(const TileParts& parts) {
  const Loop* chain = nullptr;
  for (const Statement* statement : parts.chains) {
    if (statement->store || (chain != nullptr && !statement->loop.empty())) return nullptr;
    if (!statement->loop.empty()) chain = statement->loop.data();
  }
  return chain != nullptr && !chain->block.is_valid() ? chain : nullptr;
}

}  // namespace

const Loop* single_chain(const TileParts& parts) {
  const Loop* chain = only_chain(parts);
  if (chain == nullptr) return nullptr;
  const bool is_plain = chain->step == 1 && !has_bounds(*chain) && !has_loops(chain->body);
  return is_plain || has_plain_blocks(*chain) ? chain : nullptr;
}

const Loop* chain_of_chains(const TileParts& parts) {
  const Loop* chain = only_chain(parts);
  const bool is_outer =
      chain != nullptr && chain->step == 1 && chain->extent != kBatch && has_loops(chain->body);
  return is_outer ? chain : nullptr;
}

const Loop* only_loop(const Body& body) {
  const bool is_loop =
      !body.empty() && !body.back().loop.empty() &&
      std::all_of(body.begin(), body.end() - 1, [](const Statement& s) { return s.instruction.has_value(); });
  return is_loop ? &body.back().loop.front() : nullptr;
}

LoopPath path_to_tiles(const Body& body) {
  LoopPath path;
  for (const Loop* loop = only_loop(body); loop != nullptr; loop = only_loop(loop->body)) {
    path.push_back(loop);
    if (is_tileable(*loop)) return path;
    if (loop->kind != LoopKind::kParallel || has_bounds(*loop)) return {};
  }
  return {};
}

const Loop* inner_of_pairs(const Body& body) {
  const auto is_one_by_one = [](const Loop* loop) {
    return loop != nullptr && is_independent(loop->kind) && !loop->schedule && !loop->block.is_valid();
  };
  const Loop* outer = only_loop(body);
  if (!is_one_by_one(outer)) return nullptr;
  const Loop* inner = only_loop(outer->body);
  return is_one_by_one(inner) ? inner : nullptr;
}

WaitingExtents waiting_extents(const LoopPath& path) {
  const Loop& rows = *path.back();
  WaitingExtents extents;
  // Whole vectors go to their places, idle lanes too.
  for (const Panel& panel : rows.schedule->panels) {
    const std::int64_t columns = ceil_div(panel.end - panel.begin, panel.width) * panel.width;
    extents.row = std::max(extents.row, panel.begin + columns);
  }
  extents.elements = extents.row;
  for (const Loop* loop : path) extents.elements = saturated_mul(extents.elements, loop->extent);
  return extents;
}

bool has_waiting_sums(const Body& body) {
  const LoopPath path = path_to_tiles(body);
  return !path.empty() && path.back()->schedule && path.back()->schedule->epilogue == Epilogue::kWaiting;
}

void let_sums_wait(Body& body) {
  Loop* rows = nullptr;
  for (Body* at = &body; rows == nullptr || !is_tileable(*rows); at = &rows->body)
    rows = &at->back().loop.front();
  LoopSchedule& schedule = *rows->schedule;
  schedule.epilogue = Epilogue::kWaiting;
  schedule.prefetched.clear();
  schedule.packed.clear();
  for (Panel& panel : schedule.panels) {
    panel.reach = 1;
    panel.packed.clear();
  }
}

bool may_wait(const LoopPath& path) {
  if (path.empty()) return false;
  const Loop& rows = *path.back();
  const bool is_known =
      column_loop(rows).extent != kBatch &&
      std::none_of(path.begin(), path.end(), [](const Loop* loop) { return loop->extent == kBatch; });
  return is_known && chain_of_chains(tile_parts(rows)) != nullptr;
}

const Loop& steps_of(const Loop& chain) {
  return chain.step == 1 ? chain : block_in(chain)->loop.front();
}

namespace {

/// Calls `visit` for every statement of `body` and its loops, in order. Loops nest at most as deep as axes
/// do.
void for_each_statement(const Body& body, const std::function<void(const Statement&)>& visit) {
  for (const Statement& statement : body) {
    visit(statement);
    for (const Loop& inner : statement.loop) for_each_statement(inner.body, visit);
  }
}

}  // namespace

std::int64_t widest_element(const Body& body) {
  std::int64_t widest = 4;
  for_each_statement(body, [&](const Statement& s) {
    if (s.instruction && is_float(s.instruction->dtype)) {
      widest = std::max(widest, dtype_bytes(s.instruction->dtype));
    }
  });
  return widest;
}

}  // namespace dlg::loop
