// Owns states in files: weights and optimizer state as safetensors, by path, in the written order of the
// axes.
#pragma once

#include "driver/cli/session.h"
#include "driver/engine/machine.h"
#include "runtime/checkpoint.h"

namespace dlg {

/// The states as the files of a run hold them: parameters and constants as weights, everything else as state
/// of the optimizer. Position and data are still open.
Checkpoint checkpoint_of(const Graph& graph, const StateViews& states);

/// Where the states of a file lie.
StateViews views_of(const TensorFile& file);

/// The states of a checkpoint of `folder` for `graph`. Entries that are missing, unknown or of another shape
/// are errors that list what is there.
std::optional<StateViews> states_of(const Checkpoint& checkpoint, const RunFolder& folder, const Graph& graph,
                                    Diagnostics& diagnostics);

/// Parameters and constants alone.
TensorFile weights_of(const Graph& graph, const StateViews& states);

/// The best weights in a checkpoint; empty if it has none. Errors as of `states_of`.
std::optional<StateViews> best_of(const Checkpoint& checkpoint, const RunFolder& folder, const Graph& graph,
                                  Diagnostics& diagnostics);

/// Writes parameters and constants alone.
bool save_weights(const std::string& path, const Graph& graph, const StateViews& states,
                  Diagnostics& diagnostics);

/// `states` with the average of each parameter that has one in its place; before the first update the weights
/// are their own averages.
StateViews averaged(const Graph& graph, StateViews states);

/// Reads these weights of a run for `graph`. Missing, unknown or wrongly shaped entries are errors that list
/// what is there, but for the count of what was drawn, which either may lack.
std::optional<TensorFile> load_weights(Session& session, const RunFolder& folder, const Graph& graph,
                                       WeightsChoice choice);

}  // namespace dlg
