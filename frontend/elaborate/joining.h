// Owns what makes one value of several, or a larger one: concat, stack, lists of values, flip, pad.
#pragma once

#include "frontend/elaborate/builtins.h"
#include "frontend/elaborate/tensors.h"

namespace dlg {

/// `concat([a, b], over = axis)`: one after the other along an axis of the first, by default the last one.
Value concat_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// `stack([a, b])`: side by side along a new first axis.
Value stack_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// `flip(x, over = axis)`: the elements in the opposite order.
Value flip_call(Elaboration& e, const Builtin& builtin, const Call& call);
/// `pad(x, before = 1, after = 2, over = axis)`: zeros around an axis.
Value pad_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// `[a, b]` of values, which are aligned as operands are, along a new first axis. Errors: no values, shapes
/// and element types that differ.
std::optional<TensorValue> stacked(Elaboration& e, const ListValue& list, SourceRange range);

}  // namespace dlg
