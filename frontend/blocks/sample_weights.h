// Owns the setting `weights` of `train`: what each sample counts in the objective.
#pragma once

#include "frontend/elaborate/elaboration.h"
#include "frontend/elaborate/tensors.h"

namespace dlg {

/// Elaborates the setting: one float number per sample that depends on no trained parameter. Adds the output
/// `weight`, their sum over the rows. nullopt after an error. States of models and the model that predicts
/// stay what `minimize` has made of them.
std::optional<TensorValue> elaborate_weights(Elaboration& e, ast::ExprId id, CheckedProgram& program);

/// The mean of a float scalar over the rows of the batch by these weights, sum(w x) / sum(w), at `range`;
/// what is the same for all samples is its own mean. Of rows without any weight it is the sum, 0: they count
/// nothing beside others, and alone the step is not made.
TensorValue weighted_mean(Elaboration& e, const TensorValue& x, const TensorValue& weights,
                          SourceRange range);

}  // namespace dlg
