// Owns the question which values nobody stores, because all who read them make them again on the spot.
#pragma once

#include <functional>

#include "ir/graph/graph.h"

namespace dlg {

/// Whether `value` only moves elements (broadcast, transpose, slice, a cast): nothing is lost by doing it
/// again wherever it is read. Found by running its element rule, not by its name.
bool is_view(const Graph& graph, ValueId value);

/// Whether an element of a Map takes an elementary function: exp, log, pow.
bool is_elementary(const Graph& graph, ValueId value);

/// The most values that stand one behind the other and are inlined: the next one is stored. With the members
/// of a group it bounds how deep the lowering of a kernel calls itself.
inline constexpr std::size_t kMostViews = 16;

/// Marks what is done on the spot, of what `may_be`: views, differences to what all elements of a channel
/// share, and marks of the elements that a window has chosen; but where more than kMostViews stand one behind
/// the other.
IdVector<ValueId, char> inlined_views(const Graph& graph, const std::function<bool(ValueId)>& may_be);

}  // namespace dlg
