// Owns what `dlg train --resume` begins with: the run that goes on, and that nothing it depends on has
// changed.
#pragma once

#include <optional>

#include "driver/training/training_run.h"
#include "runtime/checkpoint.h"

namespace dlg {

/// A run as it was when it was saved last.
struct ResumedRun {
  TrainingRun run;
  Checkpoint checkpoint;
};

/// The run that `--resume` names (`wanted`), else the latest of this program. Its `--set` and its seed hold
/// again. Errors: no such run, nothing saved yet, damaged, in use, or nothing left to do.
std::optional<ResumedRun> open_run(Session& session, const std::string& wanted);

/// Whether this is the program that the run was started with; `stop` may be another one. Else an error that
/// says what has changed.
bool is_same_program(Session& session, const CheckedProgram& program, const TrainingRun& run);

/// Whether the compiled code gives the bits of the code that the run began with. Else an error that says what
/// the run was compiled for.
bool is_same_arithmetic(Session& session, const TrainingRun& run);

/// What the rows of all inputs are.
std::vector<DataMark> data_marks(const LoadedData& data);

/// Whether this is the data that the run was trained on. Else an error that says which field has changed.
bool is_same_data(Session& session, const CheckedProgram& program, const std::vector<DataMark>& marks,
                  const ResumedRun& resumed);

}  // namespace dlg
