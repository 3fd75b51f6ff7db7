// Owns simplification: composites expanded, laws applied, constants folded, dead code dropped. Exact: the
// same bits.
#pragma once

#include "ir/graph/graph.h"
#include "ir/graph/laws.h"

namespace dlg {

/// The laws of the default pipeline; every one holds bit for bit, with NaN, infinities and signed zeros.
const Laws& exact_laws();

/// Before: any verified graph. After: no Composite op, no law applies, no dead node.
Graph simplify(const Graph& graph);

}  // namespace dlg
