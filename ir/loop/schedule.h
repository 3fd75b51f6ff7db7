// Owns what holds of a scheduled program: every element is computed once, no two workers meet, copies have
// room.
#pragma once

#include <cstdint>
#include <optional>

#include "ir/graph/verify.h"
#include "ir/loop/loop_ir.h"
#include "ir/loop/nest.h"

namespace dlg::loop {

/// The first broken law; nullopt: there is none, or the program is not scheduled.
std::optional<BrokenLaw> verify_schedule(const Program& program);

/// Bytes of scratch that the copies of packed operands and sums that wait take of each worker: those of a
/// nest lie one behind the other, kernels take turns.
std::int64_t needed_scratch(const Program& program);
/// What one copy of `bytes` takes: copies begin at multiples of 64.
std::int64_t scratch_of(std::int64_t bytes);

/// Of the sums that wait for the tiles at the end of `path`, all carried values one behind the other.
std::int64_t waiting_bytes(const LoopPath& path);

/// How many whole tiles lie in the rows of a scheduled nest: in the declared ones, or in any other number of
/// the batch.
std::int64_t whole_tiles(const Program& program, const Loop& rows, std::int64_t count);

}  // namespace dlg::loop
