// Owns the layout of programs with windows: vectors run along the batch, so that a window is the same in
// every lane, whatever it leaves out.
#pragma once

#include "passes/lower/group_trace.h"

namespace dlg {

/// Whether some contraction slides a window over an operand, and the batch fills a vector.
bool keeps_batch_innermost(const Graph& graph);

/// The order of the loops of a group: those that windows or bounds depend on outermost and the batch
/// innermost, where there is none the longest of the others. Empty: as written.
AxisOrder batch_innermost_order(const Shape& domain, const GroupTrace& trace);
/// As far as the shape alone says.
AxisOrder batch_innermost_order(const Shape& domain);

/// Whether a group makes elements of the batch with sums over it, as those of a channel with its statistics:
/// its loops are at one channel after the other.
bool goes_by_channels(const Graph& graph, const GroupPlan& group);

/// Whether a window slides over the loaded value: one index is a sum of variables, some of the domain, some
/// of a sum.
bool has_sliding_window(const ElementLoad& load, const GroupTrace& trace);

/// The order of a value that is loaded like that: axes with windows outermost, then the others, and behind
/// them `innermost`. Empty: as written.
AxisOrder windowed_order(const ElementLoad& load, const GroupTrace& trace, std::size_t innermost);

}  // namespace dlg
