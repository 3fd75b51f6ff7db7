// Owns what a training came to, and the three ways to say it: for people, as JSON, in the record of the run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/cli/options.h"
#include "driver/engine/programs.h"
#include "runtime/run_folder.h"

namespace dlg {

/// Weights of a training beside the last ones and what they reach.
struct KeptResult {
  WeightsChoice choice = WeightsChoice::kBest;
  std::optional<std::int64_t> epoch = {};  // at whose end they were
  std::vector<PartResult> results = {};
};

struct Outcome {
  std::string end;           // why it ended
  TrainProgress progress;    // to where it came
  std::int64_t updates = 0;  // made
  std::vector<PartResult> results =
      {};  // of the last weights; none once a signal has come or a step has failed
  std::vector<KeptResult> kept = {};
};

/// The lines for people, without those about files.
std::string outcome_text(const CheckedProgram& program, const Outcome& outcome);

/// One object: `run`, `end`, `epochs`, `steps`, `seconds`, "test.accuracy", and an object for each kind of
/// weights that is kept.
Json outcome_json(const RunFolder& folder, const Outcome& outcome);

/// Into the record: `ended` and `results`.
void record_outcome(RunRecord& record, const Outcome& outcome);

}  // namespace dlg
