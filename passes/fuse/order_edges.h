// Owns what must come before what in a step: the flow of values, looked at through inlined views, and beyond
// it the order of reading and writing states.
#pragma once

#include <functional>

#include "ir/graph/topology.h"

namespace dlg {

/// For each value the computed values that read it, directly or through inlined views, ascending.
using Readers = IdVector<ValueId, std::vector<ValueId>>;

using IsInlined = std::function<bool(ValueId)>;

Readers readers_of(const Graph& graph, const IsInlined& is_inlined);

/// Edges from computed values to their readers. Leaves and inlined views have none.
Edges data_edges(const Graph& graph, const IsInlined& is_inlined);

/// The data edges and, where they leave the graph without a cycle: from each reader of a state to the value
/// that is written to it, so that it can be written in place; from the loss to each such value, so that the
/// stop test can leave the step with nothing written.
Edges order_edges(const Graph& graph, const IsInlined& is_inlined);

/// The edges between classes, without those inside a class.
Edges class_edges(const Edges& edges, const std::vector<std::size_t>& class_of, std::size_t classes);

}  // namespace dlg
