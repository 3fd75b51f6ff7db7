// Owns `dlg train --init`: values of states taken by path from a safetensors file, of dlg or of another
// program.
#pragma once

#include "driver/cli/session.h"
#include "driver/training/train_options.h"
#include "driver/training/training_states.h"

namespace dlg {

/// Replaces values of `states` by those of the file of `init`; nothing without one.
///
/// Every parameter of `graph` must be in the file. Its constants may be; the optimizer's state is taken if
/// the file has all of it, else it starts anew. Arrays are row-major in the written order of the axes; F32
/// and F64 are converted to the state's type. With `--init-map FROM=TO` only entries whose names begin with a
/// FROM are read, under the name with TO in its place. Errors, each listing all entries concerned: missing,
/// unknown, of another shape or type, not finite, two entries for one state. Warning: F64 that was rounded to
/// f32.
bool warm_start(Session& session, const InitOptions& init, const Graph& graph, TrainingStates& states);

}  // namespace dlg
