// Owns the loop: how long a call is, what is counted after it, and which rule ends the training.
#include "runtime/train_loop.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "runtime/good_state.h"
#include "runtime/random.h"
#include "runtime/team.h"
#include "runtime/worker_choice.h"
#include "support/check.h"

namespace dlg {
namespace {

constexpr double kCallSeconds = 0.05;
/// The losses of a call stay in the second-level cache.
constexpr std::int64_t kLongestCall = std::int64_t{1} << 15;
/// So do the orders of the epochs that a call goes over.
constexpr std::int64_t kMostPositions = std::int64_t{1} << 15;

/// Why a step is not made, if it is for a fault.
std::optional<TrainEnd> fault_of(std::int64_t reason) {
  if (reason == kDlgIndexOutside) return TrainEnd::kIndexOutside;
  if (reason == kDlgNoWeight) return TrainEnd::kNoWeight;
  return std::nullopt;
}

std::int64_t row_count(const TrainPlan& plan) {
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(plan.rows.size()));
}

/// One training under way.
class Loop {
 public:
  Loop(const StepProgram& program, const TrainPlan& plan, const TrainObserver& observer)
      : program_(program),
        plan_(plan),
        observer_(observer),
        rows_(row_count(plan)),
        epoch_steps_(steps_of_epoch(plan)),
        progress_(plan.start),
        good_(program),
        workers_(program.team != nullptr ? program.team->workers() : 1) {
    progress_.epoch_steps = epoch_steps_;
    start_seconds_ = plan.clock() - progress_.seconds;
    orders_ = plan.rows;
    if (orders_.empty()) orders_ = {0};
    prepare_context();
    prepare_orders(1);
  }

  TrainResult run() {
    const bool is_good = good_.keep(progress_);
    std::optional<TrainEnd> end = is_good ? rule_before_call() : diverged(Divergence::kState);
    while (!end) {
      end = call(call_length());
      if (!end) end = rule_before_call();
    }
    if (is_good && !has_finite_states(program_)) end = find_first_bad_step();
    if (program_.team != nullptr) program_.team->use(program_.team->workers());
    program_.memory->check_guards("a training step");
    result_.end = *end;
    result_.progress = progress_;
    return std::move(result_);
  }

 private:
  /// The whole data set (or no data) in each step: step and epoch are the same, and compiled code tests the
  /// loss.
  bool is_step_an_epoch() const { return epoch_steps_ == 1; }
  /// Whether nothing happens between two epochs that compiled code could not go over, such as a test on the
  /// epoch's mean.
  bool is_seamless() const {
    if (observer_.judge || observer_.measure) return false;
    return is_step_an_epoch() ||
           (!observer_.sees_epochs && !plan_.stop.loss_below && !plan_.stop.change_below);
  }
  bool is_shuffled() const { return plan_.order == RowOrder::kShuffledEachEpoch && !is_step_an_epoch(); }

  void prepare_context() {
    context_ = step_context(program_);
    context_.rows_total = rows_;
    context_.position = progress_.epoch_step * plan_.batch;
    context_.previous_loss = progress_.tested_loss;
    context_.stop_loss_below = is_step_an_epoch() ? plan_.stop.loss_below.value_or(kNoLoss) : kNoLoss;
    context_.stop_change_below = is_step_an_epoch() ? plan_.stop.change_below.value_or(kNoLoss) : kNoLoss;
    context_.stop_flag = plan_.stop_flag;
  }

  /// The order of the rows in the epoch that has begun or begins now.
  const std::int64_t* order() const {
    return orders_.data() + (is_shuffled() ? (progress_.epochs + 1 - first_ordered_) * rows_ : 0);
  }

  /// Gives compiled code the orders of all epochs that the next `steps` steps meet.
  void prepare_orders(std::int64_t steps) {
    if (is_shuffled()) {
      const std::int64_t epoch = progress_.epochs + 1;
      const std::int64_t met = (progress_.epoch_step + steps + epoch_steps_ - 1) / epoch_steps_;
      if (epoch < first_ordered_ || epoch + met > first_ordered_ + ordered_) {
        orders_ = shuffled_epochs(plan_.rows, plan_.seed, static_cast<std::uint64_t>(epoch), met);
        first_ordered_ = epoch;
        ordered_ = met;
      }
      context_.order_step = rows_;
    }
    context_.order = order();
  }

  /// The rules on counts and time, and the flag.
  std::optional<TrainEnd> rule_before_call() const {
    if (plan_.stop_flag != nullptr && *plan_.stop_flag != 0) return TrainEnd::kInterrupted;
    if (plan_.stop.epochs && progress_.epochs >= *plan_.stop.epochs) return TrainEnd::kEpochs;
    if (plan_.stop.steps && progress_.steps >= *plan_.stop.steps) return TrainEnd::kSteps;
    if (plan_.stop.seconds && progress_.seconds >= *plan_.stop.seconds) return TrainEnd::kSeconds;
    return std::nullopt;
  }

  /// Steps of the next call: never over a limit, and to the end of an epoch if it goes so far; beyond it only
  /// by whole epochs, where nothing happens between them.
  std::int64_t call_length() const {
    if (observer_.judge && observer_.judge_at == JudgeAt::kEveryStep) return 1;
    std::int64_t steps = adapted_length_;
    if (workers_.is_trying()) steps = std::min(steps, steps_in(WorkerChoice::kTrySeconds));
    const std::int64_t rest = epoch_steps_ - progress_.epoch_step;
    if (steps > rest) steps = rest + (is_seamless() ? whole_epochs(steps - rest) : 0);
    if (plan_.stop.steps) steps = std::min(steps, *plan_.stop.steps - progress_.steps);
    if (plan_.stop.epochs) {
      const std::int64_t epochs = *plan_.stop.epochs - progress_.epochs;
      if (epochs < steps) steps = std::min(steps, epochs * epoch_steps_ - progress_.epoch_step);
    }
    if (plan_.stop.seconds) steps = std::min(steps, steps_in(*plan_.stop.seconds - progress_.seconds));
    return std::max<std::int64_t>(1, steps);
  }

  /// About as many as `seconds` take; without a measured step the longest call.
  std::int64_t steps_in(double seconds) const {
    const double steps = step_seconds_ > 0 ? seconds / step_seconds_ : static_cast<double>(kLongestCall);
    return static_cast<std::int64_t>(std::clamp(steps, 0.0, static_cast<double>(kLongestCall)));
  }

  /// Of so many steps those of whole epochs, which have their orders at hand.
  std::int64_t whole_epochs(std::int64_t steps) const {
    const std::int64_t epochs = steps / epoch_steps_;
    return (is_shuffled() ? std::min(epochs, kMostPositions / rows_) : epochs) * epoch_steps_;
  }

  /// Calls grow until one takes about kCallSeconds, at most fourfold at a time.
  void adapt(double call_seconds, std::int64_t made) {
    if (made <= 0) return;
    step_seconds_ = call_seconds / static_cast<double>(made);
    const double fitting = step_seconds_ > 0 ? kCallSeconds / step_seconds_ : 1e18;
    const double grown = 4.0 * static_cast<double>(adapted_length_);
    const double next = std::clamp(std::min(fitting, grown), 1.0, static_cast<double>(kLongestCall));
    adapted_length_ = static_cast<std::int64_t>(next);
  }

  /// Where compiled code leaves what it finds in each step of a call.
  void prepare_findings(std::int64_t steps) {
    losses_.resize(static_cast<std::size_t>(steps));
    context_.losses = losses_.data();
    if (!program_.is_weighted) return;
    weights_.resize(static_cast<std::size_t>(steps));
    context_.weights = weights_.data();
  }

  std::optional<TrainEnd> call(std::int64_t steps) {
    prepare_findings(steps);
    prepare_orders(steps);
    if (program_.team != nullptr) program_.team->use(workers_.workers());
    const StretchWatch watch(program_.team, workers_.workers());
    const double before = plan_.clock();
    const std::int64_t made = program_.step(&context_, steps);
    const double after = plan_.clock();
    DLG_CHECK(made >= 0 && made <= steps, "a call makes between none and all of its steps");
    adapt(after - before, made);
    workers_.took(made, after - before, watch.stretch());
    progress_.tested_loss = context_.previous_loss;
    count(made, after - before);
    progress_.seconds = after - start_seconds_;
    const std::vector<TrainProgress> passed = std::move(passed_);
    std::optional<TrainEnd> end = end_of_call(made, steps);
    const bool is_due = good_.is_due() || (end && has_failed(*end));
    if (is_due && !good_.keep(progress_)) end = find_first_bad_step();
    if (observer_.on_call) observer_.on_call(progress_);
    tell_epochs(passed);
    if (!end) end = settle();
    if (observer_.on_settled) observer_.on_settled(progress_);
    return end;
  }

  /// Those that were gone over, then the one that has just ended. Steps that were taken back count for none.
  void tell_epochs(const std::vector<TrainProgress>& passed) const {
    for (const TrainProgress& at : passed) {
      if (at.epochs <= progress_.epochs) observer_.on_passed_epoch(at);
    }
    const bool has_just_ended = has_finished_epoch_ && progress_.epoch_step == 0;
    if (has_just_ended && observer_.on_epoch) observer_.on_epoch(progress_);
  }

  /// Measures and judges. The judge looks at every epoch, also at one that ends the training for another
  /// reason: it may go on from there.
  std::optional<TrainEnd> settle() {
    std::optional<TrainEnd> end;
    measure();
    if (has_finished_epoch_ && !is_step_an_epoch()) end = rule_on_epoch_means();
    const bool is_stop = is_to_be_judged() && observer_.judge(progress_) == Verdict::kStop;
    return is_stop && !end ? TrainEnd::kJudged : end;
  }

  void measure() const {
    const bool is_epoch_end = progress_.epoch_step == 0 && progress_.epochs > 0;
    if (is_epoch_end && observer_.measure) observer_.measure(progress_);
  }

  bool is_to_be_judged() const {
    return observer_.judge && (has_finished_epoch_ || observer_.judge_at == JudgeAt::kEveryStep);
  }

  /// Counts steps and epochs, and weighs each batch's loss by its real rows. The steps took `seconds`, all
  /// the same time.
  void count(std::int64_t made, double seconds = 0) {
    has_finished_epoch_ = false;
    const double each = made > 0 ? seconds / static_cast<double>(made) : 0;
    std::int64_t first = 0;
    if (is_step_an_epoch()) {
      pass_single_steps(made, each);
      // Of steps that are epochs only the last two can still matter.
      first = std::max<std::int64_t>(0, made - 2);
      progress_.steps += first;
      progress_.epochs += first;
    }
    while (first < made) {
      const std::int64_t end = std::min(made, first + epoch_steps_ - progress_.epoch_step);
      count_steps(first, end);
      first = end;
      if (first < made && !is_step_an_epoch()) pass(each * static_cast<double>(first));
    }
  }

  /// Keeps the epoch that has just ended, in the midst of a call, if it is told.
  void pass(double seconds) {
    if (!observer_.on_passed_epoch || progress_.epochs < next_told_) return;
    if (progress_.epochs == next_told_epoch(progress_.epochs - 1)) {
      passed_.push_back(progress_);
      passed_.back().seconds += seconds;
    }
    next_told_ = next_told_epoch(progress_.epochs);
  }

  /// The same for steps that are epochs, all but the last one of a call.
  void pass_single_steps(std::int64_t made, double each) {
    if (!observer_.on_passed_epoch) return;
    for (std::int64_t epoch = next_told_epoch(progress_.epochs); epoch < progress_.epochs + made;
         epoch = next_told_epoch(epoch)) {
      const std::int64_t steps = epoch - progress_.epochs;
      TrainProgress at = progress_;
      at.epochs = epoch;
      at.steps += steps;
      at.loss = at.step_loss = losses_[static_cast<std::size_t>(steps - 1)];
      at.seconds += each * static_cast<double>(steps);
      passed_.push_back(at);
    }
  }

  /// Steps of the call from `first` up to `end`, all of one epoch. Where a step takes nanoseconds, so may the
  /// counting of it: the sum waits for nothing but itself.
  void count_steps(std::int64_t first, std::int64_t end) {
    const auto loss = [&](std::int64_t step) { return losses_[static_cast<std::size_t>(step)]; };
    progress_.steps += end - first;
    progress_.epoch_step += end - first;
    progress_.step_loss = loss(end - 1);
    const bool is_whole = progress_.epoch_step == epoch_steps_;
    if (program_.is_weighted) {
      sum_weighted(first, end);
      if (is_whole) finish_epoch(progress_.weight_sum);
      return;
    }
    const auto batch_rows = static_cast<double>(plan_.batch);
    double sum = progress_.loss_sum;
    for (std::int64_t i = first; i < end - (is_whole ? 1 : 0); ++i) sum += loss(i) * batch_rows;
    const std::int64_t last_rows = rows_ - (epoch_steps_ - 1) * plan_.batch;
    progress_.loss_sum = is_whole ? sum + progress_.step_loss * static_cast<double>(last_rows) : sum;
    if (is_whole) finish_epoch(static_cast<double>(rows_));
  }

  void sum_weighted(std::int64_t first, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(end); ++i) {
      progress_.loss_sum += losses_[i] * weights_[i];
      progress_.weight_sum += weights_[i];
    }
  }

  /// `weight`: of all its rows.
  void finish_epoch(double weight) {
    ++progress_.epochs;
    progress_.epoch_step = 0;
    progress_.previous_loss = progress_.loss;
    // The mean over one batch is that batch's loss, without the rounding of times and divided by.
    progress_.loss = is_step_an_epoch() ? progress_.step_loss : progress_.loss_sum / weight;
    progress_.loss_sum = progress_.weight_sum = 0;
    has_finished_epoch_ = true;
  }

  /// Why compiled code came back early, if it did.
  std::optional<TrainEnd> end_of_call(std::int64_t made, std::int64_t steps) {
    const std::int64_t reason = context_.reason;
    if (reason == kDlgInterrupted) return TrainEnd::kInterrupted;
    if (reason == kDlgStepsDone) {
      DLG_CHECK(made == steps, "a call that gives no reason makes all of its steps");
      return std::nullopt;
    }
    DLG_CHECK(made < steps, "a call that stops early does so before an update");
    if (const std::optional<TrainEnd> fault = fault_of(reason)) return failed(*fault);
    result_.final_loss = losses_[static_cast<std::size_t>(made)];
    if (reason == kDlgLossBelow) return TrainEnd::kLossBelow;
    if (reason == kDlgLossSettled) return TrainEnd::kChange;
    DLG_CHECK(reason == kDlgLossNotFinite, "a call comes back with a known reason");
    return diverged(Divergence::kLoss);
  }

  /// Some state is not finite: goes back to where all were and makes single steps up to the first bad one.
  TrainEnd find_first_bad_step() {
    const std::int64_t steps_made = progress_.steps;
    has_finished_epoch_ = false;
    context_.stop_flag = nullptr;
    context_.stop_loss_below = context_.stop_change_below = kNoLoss;
    progress_ = good_.restore();
    context_.position = progress_.epoch_step * plan_.batch;
    measure();
    prepare_findings(1);
    while (true) {
      DLG_CHECK(progress_.steps < steps_made, "the same steps give the same numbers");
      prepare_orders(1);
      const std::int64_t made = program_.step(&context_, 1);
      const std::optional<TrainEnd> fault = fault_of(context_.reason);
      if (made == 0 && fault) return failed(*fault);
      result_.final_loss = losses_.front();
      if (made == 0) return diverged(Divergence::kLoss);
      count(made);
      measure();
      has_finished_epoch_ = false;
      if (good_.keep(progress_)) continue;
      progress_ = good_.restore();
      return diverged(Divergence::kState);
    }
  }

  /// The step behind `progress_`.
  TrainEnd diverged(Divergence divergence) {
    result_.divergence = divergence;
    return failed(TrainEnd::kDiverged);
  }

  /// Tells of the step behind `progress_`, which could not be made.
  TrainEnd failed(TrainEnd end) {
    result_.diverged_step = progress_.steps + 1;
    const std::int64_t first = is_step_an_epoch() ? 0 : progress_.epoch_step * plan_.batch;
    const std::int64_t last = is_step_an_epoch() ? rows_ : std::min(first + plan_.batch, rows_);
    result_.batch_rows.assign(order() + first, order() + last);
    return end;
  }

  /// The tests on the loss where an epoch is several steps.
  std::optional<TrainEnd> rule_on_epoch_means() {
    result_.final_loss = progress_.loss;
    if (plan_.stop.loss_below && progress_.loss < *plan_.stop.loss_below) return TrainEnd::kLossBelow;
    // NaN before there are two values: the comparison is then false.
    const double change = std::abs(progress_.loss - progress_.previous_loss);
    if (plan_.stop.change_below && change < *plan_.stop.change_below) return TrainEnd::kChange;
    return std::nullopt;
  }

  const StepProgram& program_;
  const TrainPlan& plan_;
  const TrainObserver& observer_;
  std::int64_t rows_;
  std::int64_t epoch_steps_;
  std::vector<std::int64_t> orders_;  // of the rows: one for all epochs, or those of some epochs
  std::int64_t first_ordered_ = 1;    // the first of these, and how many there are
  std::int64_t ordered_ = 0;
  std::vector<double> losses_;   // of the steps of a call
  std::vector<double> weights_;  // what each of them counts, where the program says so
  DlgContext context_ = {};
  TrainProgress progress_;
  GoodState good_;
  WorkerChoice workers_;
  TrainResult result_;
  double start_seconds_ = 0;
  double step_seconds_ = 0;  // measured in the last call
  std::int64_t adapted_length_ = 1;
  bool has_finished_epoch_ = false;
  std::vector<TrainProgress> passed_;  // epochs in the midst of this call
  std::int64_t next_told_ = 0;         // no epoch before it is told
};

}  // namespace

std::int64_t next_told_epoch(std::int64_t epoch) {
  constexpr std::int64_t kAllUntil = 10'000;
  constexpr std::int64_t kPerSize = 100;  // of numbers that have as many digits and begin with a 1
  std::int64_t distance = 1;
  for (std::int64_t size = kAllUntil; size <= epoch; size *= 10) distance = size / kPerSize;
  return (epoch / distance + 1) * distance;
}

DlgContext step_context(const StepProgram& program) {
  DlgContext context = {};
  context.arena = program.memory->arena();
  context.state = program.memory->state();
  context.output = program.memory->output();
  context.data = program.data.data();
  context.hypers = program.hypers.data();
  context.scratch = program.memory->scratch();
  context.scratch_stride = program.memory->scratch_stride();
  context.previous_loss = context.stop_loss_below = context.stop_change_below = kNoLoss;
  if (program.team == nullptr) return context;
  context.run_phase = Team::run_phase;
  context.team = program.team;
  return context;
}

std::int64_t steps_of_epoch(const TrainPlan& plan) {
  DLG_CHECK(plan.batch > 0, "a batch has rows");
  const std::int64_t rows = row_count(plan);
  return rows / plan.batch + (rows % plan.batch != 0 ? 1 : 0);
}

TrainResult train(const StepProgram& program, const TrainPlan& plan, const TrainObserver& observer) {
  const StopRules& stop = plan.stop;
  DLG_CHECK(
      stop.epochs || stop.steps || stop.seconds || stop.change_below || stop.loss_below || observer.judge,
      "a training has a rule to stop");
  return Loop(program, plan, observer).run();
}

TrainResult train_steps(const StepProgram& program, TrainPlan plan, std::int64_t steps,
                        const TrainObserver& observer) {
  plan.stop = StopRules{};
  plan.stop.steps = steps;
  return Loop(program, plan, observer).run();
}

}  // namespace dlg
