// Owns how `over = axis`, `over = [a, b]` and `to = [b, a]` find axes of a value by their names.
#pragma once

#include "frontend/elaborate/builtins.h"
#include "frontend/elaborate/tensors.h"

namespace dlg {

/// The argument that the call gives by this name; null if there is none.
const CallArgument* named_argument(const Call& call, std::string_view name);

/// Where the axes that the argument names stand in `tensor`, in the order of the text: a variable or dim by
/// what it is bound to, else by its name. `operand` is what the tensor was written as. Errors: an axis that
/// is not there or named twice, something else than names.
std::optional<std::vector<std::size_t>> named_positions(Elaboration& e, const TensorValue& tensor,
                                                        const CallArgument& names, const Operand& operand);

/// The axes that `over` names, ascending; the last one without it. Errors: a value without axes.
std::optional<std::vector<std::size_t>> over_or_last(Elaboration& e, const TensorValue& tensor,
                                                     const Call& call);

/// Positions among the axes of one sample as positions in the graph's shape.
std::vector<std::int64_t> graph_positions(const TensorValue& tensor, const std::vector<std::size_t>& axes);

}  // namespace dlg
