// Owns reductions over the axes of one sample, all of them or those that `over` names.
#pragma once

#include "frontend/elaborate/builtins.h"
#include "frontend/elaborate/tensors.h"

namespace dlg {

/// `sum(x)`, `logsumexp(x, over = n)`: the builtin's op over all axes or some. Numbers stay themselves. `sum`
/// of a list of parameters adds all.
Value reduce_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// `mean`, which keeps a fraction a fraction.
Value mean_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// `max` and `min`: of one value a reduction, of two element-wise.
Value max_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value min_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// The index of the largest element, as i32.
Value argmax_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// `midrank`, along one axis, by default the last one.
Value midrank_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// `softmax` and `log_softmax`: the axes stay; without `over` it is the last one.
Value logits_call(Elaboration& e, const Builtin& builtin, const Call& call);

/// The mean over the rows of the batch.
Value batch_mean_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value batch_rows_call(Elaboration& e, const Builtin& builtin, const Call& call);
TensorValue batch_mean(Elaboration& e, const TensorValue& tensor);

/// All elements of all values of a list in one sum, or the largest of them.
Value total_call(Elaboration& e, const Builtin& builtin, const Call& call);
Value largest_call(Elaboration& e, const Builtin& builtin, const Call& call);

}  // namespace dlg
