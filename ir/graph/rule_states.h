// Owns the names of states that accumulation keeps beside those of the rule.
#pragma once

namespace dlg {

/// Of a parameter: the sum of its gradients over micro-batches, one for each point that a rule asks for.
inline constexpr const char* kGradientSumState = "gradient_sum";

/// Of the whole rule: micro-batches since the last update, the rows in them, and the sum of their losses.
inline constexpr const char* kMicroBatchesState = "micro_batches";
inline constexpr const char* kMicroRowsState = "micro_rows";
inline constexpr const char* kMicroLossState = "micro_loss";

}  // namespace dlg
