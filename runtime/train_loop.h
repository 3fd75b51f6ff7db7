// Owns the loop around compiled training steps: batches, epochs, the order of rows, the conditions to stop.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "runtime/abi.h"
#include "runtime/log.h"
#include "runtime/memory.h"
#include "runtime/team.h"
#include "support/dtype.h"

namespace dlg {

/// Numbers of one state in the state block.
struct FloatState {
  std::int64_t offset = 0;  // bytes
  std::int64_t count = 0;
  DType type = DType::kF32;
};

/// Compiled code with all it needs to run.
struct StepProgram {
  DlgStepFunction step = nullptr;
  StepMemory* memory = nullptr;
  std::vector<const void*> data;  // one pointer per kData buffer, in buffer order
  std::vector<double> hypers;     // one value per kHyper buffer, in buffer order
  std::vector<FloatState> float_states;
  bool is_weighted = false;  // it says what the loss of a batch counts; else that is its rows
  Team* team = nullptr;      // null: the calling thread does everything
  /// Told of the data rows of a batch in which an index lies outside of its axis, or which ends an update
  /// without weight, by all but the training loop.
  std::function<void(const std::vector<std::int64_t>& rows)> on_fault = {};
};

/// The context of a call on `program`: its memory, data and team; rows, losses and stops are still open.
DlgContext step_context(const StepProgram& program);

/// `stop`: training ends at the first that holds. `change_below` and `loss_below` look at steps if a batch is
/// the whole data set or there is no data, else at epoch means over rows.
struct StopRules {
  std::optional<std::int64_t> epochs;
  std::optional<std::int64_t> steps;
  std::optional<double> seconds;
  std::optional<double> change_below;
  std::optional<double> loss_below;
};

enum class RowOrder { kShuffledEachEpoch, kAsGiven };

constexpr double kNoLoss = std::numeric_limits<double>::quiet_NaN();

/// Where a training is: with the states all that a training needs to go on from here to the same bits.
/// Without data an epoch is one step.
struct TrainProgress {
  std::int64_t epochs = 0;       // finished
  std::int64_t steps = 0;        // updates made
  std::int64_t epoch_step = 0;   // updates made in the epoch that has begun
  std::int64_t epoch_steps = 1;  // updates of a whole epoch
  double loss = kNoLoss;  // last epoch's mean over rows by their weights, each batch at its own parameters;
                          // NaN before there is one
  double step_loss = kNoLoss;  // of the last step, at the weights before its update; NaN before there is one
  double seconds = 0;          // since the start
  double loss_sum = 0;         // over the rows of the epoch that has begun, each times its weight
  double weight_sum = 0;       // of the weights of these rows, where the program has any
  double previous_loss = kNoLoss;  // the mean of the epoch before the last one
  double tested_loss = kNoLoss;    // DlgContext::previous_loss
};

struct TrainPlan {
  std::vector<std::int64_t> rows;  // data rows of the training part, in file order; empty: no data
  std::int64_t batch = 1;          // as compiled; rows.size() or more: the whole data set, never shuffled
  RowOrder order = RowOrder::kShuffledEachEpoch;
  std::uint64_t seed = 1;
  TrainProgress start = {};  // of a training that goes on
  StopRules stop;
  const volatile std::int32_t* stop_flag = nullptr;
  Clock clock = steady_seconds;
};

enum class TrainEnd : std::uint8_t {
  kEpochs,
  kSteps,
  kSeconds,
  kChange,
  kLossBelow,
  kJudged,  // `judge` of the observer said so
  kInterrupted,
  kDiverged,      // a number became infinite or NaN; the states in memory are the last good ones
  kIndexOutside,  // an index of the next step lies outside of its axis; the states are those before that step
  kNoWeight,      // the same where the weights of an update do not sum to a number above 0
};

/// What made the step impossible is no number that came out of it.
constexpr bool is_fault(TrainEnd end) {
  return end == TrainEnd::kIndexOutside || end == TrainEnd::kNoWeight;
}

/// What was not finite first.
enum class Divergence : std::uint8_t {
  kLoss,   // of the step behind `progress`
  kState,  // a parameter or a state of the optimizer after that step, which was taken back
};

/// Whether a training ended because a step could not be made.
constexpr bool has_failed(TrainEnd end) {
  return end == TrainEnd::kDiverged || is_fault(end);
}

enum class Verdict : std::uint8_t { kGoOn, kStop };
enum class JudgeAt : std::uint8_t { kEpochEnd, kEveryStep };

/// Which epochs are told: all up to 10,000, beyond it those whose number has at most three significant
/// digits, so that a training of a billion steps that are epochs is not slowed down by telling of them. The
/// next one behind `epoch`.
std::int64_t next_told_epoch(std::int64_t epoch);

/// Calls of compiled code are kept short (about 0.05 s). `on_epoch` comes when an epoch has ended and no
/// later step was made; a call may go over several epochs, and `on_passed_epoch` comes first for each of them
/// that is told. With `sees_epochs` no call goes over an epoch of several steps: something is to be measured
/// at its end. `on_call` comes after every call. Behind both come, where there
/// are any, `measure` at the end of every epoch and `judge` at the end of every epoch or after every step; no
/// later step has been made then. `measure` writes states that follow from all others; it comes once more
/// where steps are made once more. `on_settled` comes last, when nothing is left to do with the steps of the
/// call.
struct TrainObserver {
  std::function<void(const TrainProgress&)> on_epoch = {};
  std::function<void(const TrainProgress&)> on_passed_epoch = {};
  std::function<void(const TrainProgress&)> on_call = {};
  std::function<void(const TrainProgress&)> measure = {};
  std::function<Verdict(const TrainProgress&)> judge = {};
  std::function<void(const TrainProgress&)> on_settled = {};
  JudgeAt judge_at = JudgeAt::kEpochEnd;
  bool sees_epochs = false;
};

struct TrainResult {
  TrainEnd end = TrainEnd::kSteps;
  TrainProgress progress;
  double final_loss = 0;  // the loss that the test looked at (kChange, kLossBelow, kDiverged)
  Divergence divergence = Divergence::kLoss;
  std::int64_t diverged_step = 0;        // of an end that has failed: from 1
  std::vector<std::int64_t> batch_rows;  // of them: the data rows of that step's batch
};

/// Trains from the state in `program.memory` and the position `plan.start` until a rule of `plan.stop` holds;
/// there must be one. State holds the result.
TrainResult train(const StepProgram& program, const TrainPlan& plan, const TrainObserver& observer);

/// Makes exactly `steps` updates from the state in memory, whatever `plan.stop` says; fewer only if the loss
/// is not finite or the flag is set. For `after(k steps, ...)`, `after(k epochs, ...)` and `dlg step`.
TrainResult train_steps(const StepProgram& program, TrainPlan plan, std::int64_t steps,
                        const TrainObserver& observer = {});

/// ceil(rows / batch), at least 1.
std::int64_t steps_of_epoch(const TrainPlan& plan);

}  // namespace dlg
