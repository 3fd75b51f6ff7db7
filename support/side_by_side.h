// Owns work in pieces that threads take one by one.
#pragma once

#include <cstddef>
#include <functional>

namespace dlg {

/// Calls `work(piece)` for each piece below `count`, in order, on at most `threads` threads, the calling one
/// among them: each takes the next piece that is left. Where the system gives no thread the others do all.
/// What a piece throws comes out here, when all threads have ended; no further piece is begun then.
void side_by_side(std::size_t count, int threads, const std::function<void(std::size_t)>& work);

}  // namespace dlg
