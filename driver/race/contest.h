// Owns the running of a race: every rule compiled, from the same start, with all that is seen on its way.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/cli/session.h"
#include "driver/engine/evaluator.h"
#include "driver/engine/training_setup.h"

namespace dlg {

/// The objective over all training rows, at any point.
class Objective {
 public:
  /// nullopt after a diagnostic.
  static std::optional<Objective> make(Session& session, const TrainingSetup& setup);

  double at(const StateValues& states);
  /// `loss` or a metric on another part of the data.
  double measure(const StateValues& states, const Part& part, std::string_view name);
  /// At other values of the trained numbers, one after the other in the order of the program; constants as
  /// they start.
  double at_point(const std::vector<double>& point);

 private:
  Objective(std::unique_ptr<Evaluator> machine, std::vector<State> parameters, StateValues states,
            std::vector<std::int64_t> rows)
      : machine_(std::move(machine)),
        parameters_(std::move(parameters)),
        states_(std::move(states)),
        rows_(std::move(rows)) {}

  std::unique_ptr<Evaluator> machine_;
  std::vector<State> parameters_;
  StateValues states_;
  std::vector<std::int64_t> rows_;
};

/// What one rule did. A race of few variables keeps every step with all values, one of many variables every
/// epoch with the norms of weights and states.
struct RaceRun {
  std::string text;  // as written: `sgd(lr = 0.02)`
  const UpdateRule* rule = nullptr;
  TrainEnd end = TrainEnd::kSteps;
  std::int64_t steps = 0;  // updates made
  double seconds = 0;
  double final_loss = 0;         // the objective at the last weights
  std::vector<std::int64_t> at;  // the updates made before each of `losses`
  std::vector<double> losses;
  std::vector<std::string> columns;  // of `values`: `w[0]`, `w[1]`, then the rule's states `w.v[0]`; or `|W|`
  std::vector<std::vector<double>> values;  // at each of `at`
};

struct Contest {
  std::string title;
  std::vector<std::string> variables;  // of few: `w[0]`, `w[1]`; else empty
  std::size_t variable_count = 0;
  std::vector<double> start;     // of few variables
  bool is_stochastic = false;    // a step sees some of the rows only
  std::optional<double> target;  // of `stop`: loss < target
  std::size_t rules = 0;         // in the race
  std::vector<RaceRun> runs;     // of these, those that were run
  bool is_interrupted = false;   // a signal came: the last run is cut short, or there are fewer
};

/// Few: every step and state is kept, and curvatures are computed.
inline constexpr std::size_t kFewVariables = 8;

/// Runs all rules of the race, or those before a signal came. nullopt after a diagnostic.
std::optional<Contest> run_contest(Session& session, const TrainingSetup& setup, Objective& objective);

}  // namespace dlg
