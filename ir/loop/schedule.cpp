#include "ir/loop/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <functional>
#include <numeric>
#include <string>

#include "ir/loop/core.h"
#include "ir/loop/nest.h"
#include "ir/loop/operands.h"
#include "ir/loop/verify_straight.h"
#include "ir/loop/words.h"
#include "support/arithmetic.h"

namespace dlg::loop {
namespace {

using Failure = std::optional<std::string>;

/// Calls `visit` for every loop of `body` that is taken in panels. Loops nest at most as deep as axes do.
void for_each_scheduled(const Body& body, const std::function<void(const Loop&)>& visit) {
  for (const Statement& statement : body) {
    for (const Loop& inner : statement.loop) {
      if (inner.schedule) visit(inner);
      if (!inner.schedule) for_each_scheduled(inner.body, visit);
    }
  }
}

bool has_schedule(const Body& body) {
  bool has = false;
  for_each_scheduled(body, [&](const Loop&) { has = true; });
  return has;
}

/// Every column in one panel: each begins where the one before ends, the last one ends with the loop.
Failure verify_panels(const Loop& columns, const std::vector<Panel>& panels) {
  if (panels.empty()) return "has no panels";
  std::int64_t begin = 0;
  for (const Panel& panel : panels) {
    if (panel.width < 1 || panel.reach < 1) return "has a panel without lanes";
    const bool is_last = &panel == &panels.back();
    if (columns.extent == kBatch) {
      if (panel.end != kBatch || panel.begin != 0 || (is_last != (panel.width == 1))) {
        return "has to end with single columns of the batch, and only so";
      }
      if (begin % panel.width != 0) return "has panels of the batch that do not divide those before";
      begin = panel.width;
      continue;
    }
    if (panel.begin != begin || panel.end <= begin)
      return fmt::format("leaves out or repeats column {}", begin);
    const bool is_whole = (panel.end - panel.begin) % panel.width == 0;
    if (!is_whole && panel.end - panel.begin > panel.width)
      return "has a panel that does not fill its last vector";
    begin = panel.end;
  }
  if (columns.extent != kBatch && begin != columns.extent) return fmt::format("ends at column {}", begin);
  return std::nullopt;
}

/// Every row in one tile.
Failure verify_rows(const Program& program, const Loop& rows) {
  const LoopSchedule& schedule = *rows.schedule;
  const std::int64_t left = std::accumulate(schedule.rest.begin(), schedule.rest.end(), std::int64_t{0});
  const std::int64_t declared = declared_extent(program, rows);
  const bool is_empty = std::find(schedule.rest.begin(), schedule.rest.end(), 0U) != schedule.rest.end();
  if (schedule.tile < 1 || is_empty || left > declared || (declared - left) % schedule.tile != 0) {
    return fmt::format("tiles of {} rows and the rest do not cover {} rows once", schedule.tile, declared);
  }
  return std::nullopt;
}

/// Each operand once, in a way that its place in memory allows.
Failure verify_packed(const std::vector<Operand>& operands, const std::vector<Pack>& packs) {
  for (const Pack& pack : packs) {
    const Operand* operand = packed_operand(operands, pack);
    if (operand == nullptr) return "packs what is no operand of its chains";
    const auto is_same = [&](const Pack& other) { return other.load == pack.load; };
    if (std::count_if(packs.begin(), packs.end(), is_same) > 1)
      return fmt::format("packs %{} twice", pack.load.index);
    if (!std::has_single_bit(pack.square) || (pack.square > 1 && !operand->is_turned()))
      return fmt::format("packs %{} in squares that it does not have", pack.load.index);
    if (pack.group < 1 || (pack.group > 1 && !operand->has_neighbours()))
      return fmt::format("packs %{} in groups of tiles that are no neighbours", pack.load.index);
  }
  return std::nullopt;
}

/// Loads behind the chains, of places that are known before them: registers are not.
Failure verify_prefetched(const TileParts& parts, const std::vector<RegId>& prefetched) {
  for (const RegId load : prefetched) {
    const auto is_it = [&](const Statement* s) {
      return s->instruction && s->instruction->op == Op::kLoad && s->instruction->result == load;
    };
    const auto found = std::find_if(parts.after.begin(), parts.after.end(), is_it);
    if (found == parts.after.end()) return "prefetches what is not loaded behind its chains";
    if (has_computed_index(*(*found)->instruction))
      return fmt::format("prefetches %{}, whose place is computed", load.index);
  }
  return std::nullopt;
}

Failure verify_nest(const Program& program, const Loop& rows) {
  const LoopSchedule& schedule = *rows.schedule;
  if (Failure failure = verify_rows(program, rows)) return failure;
  if (Failure failure = verify_panels(column_loop(rows), schedule.panels)) return failure;
  const Operands operands = operands_of(program, rows);
  if (Failure failure = verify_packed(operands.of_rows, schedule.packed)) return failure;
  if (!schedule.packed.empty() && schedule.packed_tiles < 1) return "packs no tile at a time";
  for (const Panel& panel : schedule.panels) {
    if (Failure failure = verify_packed(operands.of_columns, panel.packed)) return failure;
    const bool has_groups = std::any_of(panel.packed.begin(), panel.packed.end(),
                                        [](const Pack& pack) { return pack.group > 1; });
    if (has_groups) return "packs columns in groups of tiles";
  }
  const TileParts parts = tile_parts(rows);
  if (Failure failure = verify_prefetched(parts, schedule.prefetched)) return failure;
  if (schedule.prefetch_level < 1 || schedule.prefetch_level > 3) return "prefetches to no level of a cache";
  if (schedule.epilogue == Epilogue::kBehind || schedule.epilogue == Epilogue::kWaiting) return std::nullopt;
  if (single_chain(parts) == nullptr)
    return "has no single chain whose sums could wait for what is done to them";
  if (schedule.epilogue == Epilogue::kByRows) return std::nullopt;
  return schedule.beside_steps < 1 ? Failure("has no steps between the rows that wait") : std::nullopt;
}

Failure verify_loop(const Program& program, const Loop& loop) {
  if (has_schedule(loop.body)) return "has another one inside: its lanes are taken";
  if (!is_uniform(loop)) return "takes iterations side by side that differ in what is left out";
  if (is_tileable(loop)) return verify_nest(program, loop);
  const LoopSchedule& schedule = *loop.schedule;
  const bool has_rows_alone =
      schedule.packed.empty() && schedule.prefetched.empty() && schedule.epilogue == Epilogue::kBehind;
  if (has_lanes_in_rows(loop)) {
    const bool is_right = has_rows_alone && schedule.panels.empty();
    return is_right ? verify_rows(program, loop) : "is a loop of lanes, which has rows alone";
  }
  if (loop.kind != LoopKind::kVector) return "is neither a vector loop nor one of tiles";
  const bool is_plain = has_rows_alone && schedule.tile == 1 && schedule.rest.empty();
  return is_plain ? verify_panels(loop, schedule.panels) : "is a vector loop, which has panels alone";
}

/// Workers divide one loop whose iterations wait for nothing, by pieces that it has.
Failure verify_share(const Kernel& kernel) {
  if (kernel.share == Share::kNothing) return std::nullopt;
  const Loop* loop = only_loop(kernel.body);
  if (loop == nullptr) return "is divided, but is not one loop";
  if (!is_independent(loop->kind)) return "is divided, but its iterations wait for each other";
  const bool has_tiles = loop->schedule && is_tileable(*loop);
  const bool has_panels = loop->schedule && !loop->schedule->panels.empty();
  const bool has_pieces = kernel.share == Share::kPanels  ? has_panels
                          : kernel.share == Share::kTiles ? has_tiles
                          : kernel.share == Share::kPairs ? inner_of_pairs(kernel.body) != nullptr
                                                          : !loop->schedule;
  return has_pieces ? Failure() : "is divided by pieces that it does not have";
}

/// Sums wait for the kernel as a whole, in tiles that read nothing but what is in place.
Failure verify_waiting(const Kernel& kernel) {
  bool has_waiting = false;
  for_each_scheduled(kernel.body,
                     [&](const Loop& loop) { has_waiting |= loop.schedule->epilogue == Epilogue::kWaiting; });
  if (!has_waiting) return std::nullopt;
  const LoopPath path = path_to_tiles(kernel.body);
  if (!may_wait(path) || !has_waiting_sums(kernel.body))
    return "has sums that wait, but is not one nest of loops of known length around a chain of chains";
  const LoopSchedule& schedule = *path.back()->schedule;
  const bool has_copies = !schedule.packed.empty() ||
                          std::any_of(schedule.panels.begin(), schedule.panels.end(), [](const Panel& panel) {
                            return !panel.packed.empty() || panel.reach > 1;
                          });
  return has_copies || !schedule.prefetched.empty() ? Failure("has sums that wait beside copies")
                                                    : std::nullopt;
}

Failure verify_kernel(const Program& program, const Kernel& kernel) {
  Failure failure = verify_share(kernel);
  if (!failure) failure = verify_waiting(kernel);
  for_each_scheduled(kernel.body, [&](const Loop& loop) {
    if (failure) return;
    failure = verify_loop(program, loop);
    if (failure) failure = fmt::format("the schedule of loop `{}` {}", loop.name, *failure);
  });
  return failure;
}

std::int64_t scratch_of_all(const std::vector<Operand>& operands, const std::vector<Pack>& packs,
                            std::int64_t lanes) {
  std::int64_t bytes = 0;
  for (const Pack& pack : packs) {
    const Operand& operand = *packed_operand(operands, pack);
    const std::int64_t elements = saturated_mul(operand.steps, lanes);
    bytes = saturated_add(bytes, scratch_of(saturated_mul(elements, dtype_bytes(operand.load->dtype))));
  }
  return bytes;
}

std::int64_t scratch_of_nest(const Program& program, const Loop& rows) {
  const LoopSchedule& schedule = *rows.schedule;
  const Operands operands = operands_of(program, rows);
  std::int64_t of_panels = 0;
  for (const Panel& panel : schedule.panels) {
    const std::int64_t bytes =
        scratch_of_all(operands.of_columns, panel.packed, saturated_mul(panel.width, panel.reach));
    of_panels = std::max(of_panels, bytes);
  }
  // The last of the tiles may be the rest, which is up to two.
  const std::int64_t lanes = saturated_mul(saturated_add(schedule.packed_tiles, 1), schedule.tile);
  return saturated_add(of_panels, scratch_of_all(operands.of_rows, schedule.packed, lanes));
}

/// Of sums that wait.
std::int64_t scratch_of_sums(const Kernel& kernel) {
  return has_waiting_sums(kernel.body) ? waiting_bytes(path_to_tiles(kernel.body)) : 0;
}

}  // namespace

std::int64_t waiting_bytes(const LoopPath& path) {
  const Loop* chain = chain_of_chains(tile_parts(*path.back()));
  const std::int64_t values = static_cast<std::int64_t>(chain->carried.size());
  const std::int64_t bytes = saturated_mul(waiting_extents(path).elements, widest_element(path.back()->body));
  return saturated_mul(values, scratch_of(bytes));
}

std::optional<BrokenLaw> verify_schedule(const Program& program) {
  for (const Kernel& kernel : program.kernels) {
    const std::string line = "kernel " + name_word(kernel.name);
    const bool is_scheduled = kernel.share != Share::kNothing || has_schedule(kernel.body);
    if (!program.schedule && is_scheduled) {
      return BrokenLaw{fmt::format("kernel `{}` is scheduled for no core", kernel.name), line};
    }
    if (Failure failure = program.schedule ? verify_kernel(program, kernel) : Failure()) {
      return BrokenLaw{fmt::format("kernel `{}`: {}", kernel.name, *failure), line};
    }
  }
  if (!program.schedule) return verify_straight(program);
  if (find_core(program.schedule->core) == nullptr) {
    return BrokenLaw{fmt::format("no core is named `{}`", program.schedule->core), "scheduled"};
  }
  const std::int64_t needed = needed_scratch(program);
  if (program.schedule->scratch_bytes >= needed) return verify_straight(program);
  return BrokenLaw{fmt::format("copies and sums that wait need {} bytes of scratch", needed), "scheduled"};
}

std::int64_t scratch_of(std::int64_t bytes) {
  constexpr std::int64_t kAlignment = 64;
  return saturated_add(bytes, kAlignment - 1) / kAlignment * kAlignment;
}

std::int64_t needed_scratch(const Program& program) {
  std::int64_t most = 0;
  for (const Kernel& kernel : program.kernels) {
    for_each_scheduled(kernel.body, [&](const Loop& loop) {
      if (is_tileable(loop)) most = std::max(most, scratch_of_nest(program, loop));
    });
    most = std::max(most, scratch_of_sums(kernel));
  }
  return most;
}

std::int64_t whole_tiles(const Program& program, const Loop& rows, std::int64_t count) {
  const LoopSchedule& schedule = *rows.schedule;
  if (count != declared_extent(program, rows)) return count / schedule.tile;
  const std::int64_t left = std::accumulate(schedule.rest.begin(), schedule.rest.end(), std::int64_t{0});
  return (count - left) / schedule.tile;
}

}  // namespace dlg::loop
