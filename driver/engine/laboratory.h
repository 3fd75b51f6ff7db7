// Owns the two ways to look into a training: compiled code and the f64 reference, behind one interface.
#pragma once

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/engine/inspection.h"
#include "driver/engine/machine.h"
#include "driver/engine/training_setup.h"

namespace dlg {

/// The values of outputs by name, row-major.
using Observations = std::map<std::string, std::vector<double>>;

/// One engine on one program, its data and its first training batch.
class Laboratory {
 public:
  virtual ~Laboratory() = default;

  /// All outputs of the inspection graph on these data rows, at most a batch, with these states, the loss
  /// finite or not. They mean nothing after a diagnostic: an index lies outside of its axis.
  virtual Observations observe(const StateValues& states, const std::vector<std::int64_t>& rows) = 0;
  /// The same on the rows of this laboratory.
  Observations observe(const StateValues& states) { return observe(states, batch_); }
  /// How far compiled code may be from the last observation, by output: what rounding explains. nullopt: this
  /// laboratory does not know, or has not enough memory to say so.
  virtual std::optional<Observations> rounding_bounds() const { return std::nullopt; }
  /// The states after this many updates from `start`; nullopt if the loss or a state became
  /// non-finite on the way, or after a diagnostic where an index lies outside of its axis.
  virtual std::optional<StateValues> train_from(const StateValues& start, std::int64_t steps) = 0;
  /// The same from the initial states.
  std::optional<StateValues> train(std::int64_t steps) { return train_from(initial_, steps); }

  const StateValues& initial() const { return initial_; }
  /// The data rows that are looked at: those of the first batch; none without data.
  const std::vector<std::int64_t>& batch() const { return batch_; }
  /// How many they are, at least 1.
  std::int64_t rows() const { return std::max<std::int64_t>(1, std::ssize(batch_)); }

 protected:
  StateValues initial_;
  std::vector<std::int64_t> batch_;
};

/// What a laboratory is for: nothing is compiled that is not asked for. One that observes only cannot train.
enum class LaboratoryUse : std::uint8_t { kObserve, kTrain };

/// Of a setup that outlives it. nullptr after a diagnostic (not enough memory).
std::unique_ptr<Laboratory> compiled_laboratory(Session& session, const TrainingSetup& setup,
                                                const Inspection& inspection,
                                                LaboratoryUse use = LaboratoryUse::kTrain);
std::unique_ptr<Laboratory> reference_laboratory(Session& session, const TrainingSetup& setup,
                                                 const Inspection& inspection,
                                                 LaboratoryUse use = LaboratoryUse::kTrain);

/// The reference for what compiled code is compared with: it only observes, and of the first batch no more
/// rows than it can afford (affordable_rows.h), nor more than `most`.
std::unique_ptr<Laboratory> comparing_laboratory(
    Session& session, const TrainingSetup& setup, const Inspection& inspection,
    std::int64_t most = std::numeric_limits<std::int64_t>::max());

/// Either of them.
struct LaboratoryChoice {
  Engine engine = Engine::kJit;
  LaboratoryUse use = LaboratoryUse::kTrain;
};
std::unique_ptr<Laboratory> chosen_laboratory(Session& session, const TrainingSetup& setup,
                                              const Inspection& inspection, LaboratoryChoice choice);

}  // namespace dlg
