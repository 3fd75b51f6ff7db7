// Owns what a training measures on its way: loss and metrics of parts of the data.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/engine/programs.h"

namespace dlg {

/// Of one training; what it is made of outlives it. The program that measures is compiled when it is first
/// needed, so that the first step does not wait for it.
class PartMeter {
 public:
  PartMeter(Session& session, const TrainingSetup& setup, const Machine& trained)
      : session_(session), setup_(setup), trained_(trained) {}

  /// Evaluates parts at these weights. Parts behind the moment when the flag was set are left out; null:
  /// none. nullopt after an error, such as too little memory.
  std::optional<std::vector<PartResult>> evaluate_at(const StateViews& states, const std::vector<Part>& parts,
                                                     const volatile std::int32_t* stop_flag);

  /// A part at the current weights, those of the end of `epoch`: however many ask, it is evaluated once.
  /// Nothing if it has no rows.
  const std::vector<PartResult>& measure(const std::string& part, std::int64_t epoch);

  /// What a stop or a rule looks at; NaN if it cannot be measured, with which no comparison holds.
  double value(const WatchedValue& watched, const TrainProgress& at);

 private:
  struct Measured {
    std::int64_t epoch = 0;
    std::vector<PartResult> results;
  };

  Session& session_;
  const TrainingSetup& setup_;
  const Machine& trained_;
  std::unique_ptr<Evaluator> evaluator_;
  std::map<std::string, Measured> measured_;  // by part
};

}  // namespace dlg
