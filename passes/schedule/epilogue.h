// Owns the choice of what is done to the sums of a tile: what is asked for early, and what is done beside
// other chains.
#pragma once

#include <vector>

#include "ir/loop/core.h"
#include "ir/loop/loop_ir.h"
#include "ir/loop/nest.h"

namespace dlg {

/// Whether the sums of the tiles at the end of `path` should wait in scratch: where its loops read again and
/// again what does not stay near, and one iteration of the chain reads less.
bool should_wait(const loop::Program& program, const loop::LoopPath& path, const loop::Core& core);

/// The loads behind the chains of `rows` that bring each row's own elements from a buffer that does not stay
/// in the near caches. They arrive while the chains run.
std::vector<loop::RegId> far_loads(const loop::Program& program, const loop::Loop& rows,
                                   const loop::Core& core);

/// Beside the next tile's chains where the update divides or takes roots of what comes from far:
/// multiply-adds need not wait for that.
loop::Epilogue choose_epilogue(const loop::Loop& rows, const std::vector<loop::RegId>& far);

/// The sums of all tiles that are written out under a panel.
struct WrittenSums {
  std::int64_t rows = 1;
  std::int64_t vectors = 1;  // of a row
};

/// Instead of behind the chains from registers: from memory by rows, where it would be long to write out what
/// is done to `sums`.
loop::Epilogue shortened(loop::Epilogue epilogue, const loop::Loop& rows, const WrittenSums& sums);

/// Steps of the chain from one row that waits to the next: all rows of a tile are done beside one tile, or
/// its first block.
std::int64_t steps_beside(const loop::Program& program, const loop::Loop& rows, unsigned tile);

}  // namespace dlg
