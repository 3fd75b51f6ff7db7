// Owns what is known of whole numbers before anything is computed: intervals of values, and where values are
// indices.
#pragma once

#include <vector>

#include "ir/graph/graph.h"

namespace dlg {

/// The interval in which every element of `value` lies, by the range rules of the ops; of floats and of
/// sums that may wrap around nothing is known. Looks only at what it depends on.
Interval range_of(const Graph& graph, ValueId value);

/// `index` is an operand of `user`, whose elements are indices of one axis of `extent` elements.
struct IndexUse {
  ValueId user;
  ValueId index;
  std::int64_t extent = 0;
};
/// In the order of the nodes.
std::vector<IndexUse> index_uses(const Graph& graph);

/// Sets Input::below of every input: what the uses ask of the elements that reach an index as they are,
/// directly or through selections. Of several uses the smallest table decides.
void limit_inputs(Graph& graph);

}  // namespace dlg
