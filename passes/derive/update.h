// Owns the update pass: an elaborated rule becomes effects.
#pragma once

#include "ir/graph/update_rule.h"

namespace dlg {

/// Before: a differentiated graph, perhaps with effects of its own. After: states of the rule and the step
/// counter, and besides those effects one per trained parameter and written state. A gradient at the
/// parameters themselves uses the outputs `d(path)`; one at shifted points builds the forward and backward
/// graph again at those points. The outputs `d(path)` are removed.
Graph apply_update(const Graph& graph, const UpdateRule& rule);

}  // namespace dlg
