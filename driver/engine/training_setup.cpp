#include "driver/engine/training_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/random.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoPart{DiagCode::BadStop, Severity::kError,
                                    "`{}` is looked at, and the data has no such part"};
constexpr Diag<std::string, std::int64_t> kNoUpdate{DiagCode::NoUpdate, Severity::kError,
                                                    "training ends after {}, and an update takes {} of them"};

std::optional<double> limit_of(const Training& training, StopCondition::Kind kind) {
  std::optional<double> limit;
  for (const StopCondition& stop : training.stop) {
    if (stop.kind != kind) continue;
    const bool is_upper = kind == StopCondition::Kind::kChange || kind == StopCondition::Kind::kLossBelow;
    if (!limit) limit = stop.value;
    limit = is_upper ? std::max(*limit, stop.value) : std::min(*limit, stop.value);
  }
  return limit;
}

std::optional<std::int64_t> count_of(const Training& training, StopCondition::Kind kind) {
  const std::optional<double> limit = limit_of(training, kind);
  if (!limit) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(*limit));
}

void set_stops(const Training& training, StopRules& stop) {
  stop.epochs = count_of(training, StopCondition::Kind::kEpochs);
  stop.steps = count_of(training, StopCondition::Kind::kSteps);
  if (stop.steps) {
    constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
    stop.steps = checked_mul(*stop.steps, training.accumulate).value_or(kNever);
  }
  stop.seconds = limit_of(training, StopCondition::Kind::kSeconds);
  stop.change_below = limit_of(training, StopCondition::Kind::kChange);
  stop.loss_below = limit_of(training, StopCondition::Kind::kLossBelow);
}

std::int64_t batch_of(const CheckedProgram& program, const LoadedData& data) {
  const auto rows = static_cast<std::int64_t>(data.parts.train.size());
  if (rows == 0) return 1;
  const bool is_limited = program.training && program.training->batch;
  return is_limited ? std::min(rows, *program.training->batch) : rows;
}

RunLength length_of(const Training& training, const TrainPlan& plan) {
  const auto batches = static_cast<double>(training.accumulate);
  RunLength run;
  run.epoch_steps = static_cast<double>(steps_of_epoch(plan)) / batches;
  run.last_step = std::numeric_limits<double>::infinity();
  if (plan.stop.steps) run.last_step = static_cast<double>(*plan.stop.steps) / batches;
  if (plan.stop.epochs) {
    const double end = std::floor(static_cast<double>(*plan.stop.epochs) * run.epoch_steps);
    run.last_step = std::min(run.last_step, end);
  }
  return run;
}

/// Whether the part that a stop or a schedule looks at has rows.
bool has_part(Session& session, const TrainingSetup& setup, const WatchedValue& watched, SourceRange range) {
  if (watched.part != "val" || !setup.data.parts.val.empty()) return true;
  session.diagnostics.report(range, kNoPart, watched.text())
      .note("`split = shares(train = 0.7, val = 0.15, test = 0.15)` in `data` makes one");
  return false;
}

/// Whether a rule can be followed over the whole training.
bool check_rule_over_run(Session& session, const TrainingSetup& setup, const UpdateRule& rule) {
  bool is_good = true;
  for (const auto& [watched, origin] : rule.measured) {
    is_good = has_part(session, setup, watched, origin) && is_good;
  }
  if (!rule.check_run) return is_good;
  const std::size_t before = session.diagnostics.error_count();
  rule.check_run(setup.length, session.diagnostics);
  return is_good && session.diagnostics.error_count() == before;
}

/// An update needs its micro-batches before training ends.
bool check_has_update(Session& session, const TrainingSetup& setup) {
  const Hyper* accumulate = find_hyper(setup.rule, kAccumulateHyper);
  if (accumulate == nullptr || setup.length.last_step >= 1) return true;
  const TrainPlan& plan = setup.plan;
  const auto batches = static_cast<double>(steps_of_epoch(plan)) * static_cast<double>(*plan.stop.epochs);
  session.diagnostics
      .report(accumulate->origin, kNoUpdate, fmt::format("{:.0f} batches", batches),
              setup.program.training->accumulate)
      .note(
          "with `accumulate` an update is made from so many batches; they are counted on over the end of an "
          "epoch");
  return false;
}

/// Whether the training can be followed from its first update to its end, with each of its rules.
bool check_setup(Session& session, const TrainingSetup& setup) {
  bool is_good = check_has_update(session, setup);
  for (const StopCondition& stop : setup.program.training->stop) {
    is_good = has_part(session, setup, stop.watched, stop.range) && is_good;
  }
  is_good = check_rule_over_run(session, setup, setup.rule) && is_good;
  if (!setup.program.race) return is_good;
  for (const Competitor& competitor : setup.program.race->competitors) {
    is_good = check_rule_over_run(session, setup, competitor.rule) && is_good;
  }
  return is_good;
}

}  // namespace

TrainingSetup make_setup(CheckedProgram program, LoadedData data) {
  TrainingSetup setup{std::move(program), std::move(data)};
  setup.batch = batch_of(setup.program, setup.data);
  setup.plan.rows = setup.data.parts.train;
  setup.plan.batch = setup.batch;
  setup.plan.order = RowOrder::kAsGiven;
  if (!setup.program.training) return setup;
  const Training& training = *setup.program.training;
  if (training.is_shuffled) setup.plan.order = RowOrder::kShuffledEachEpoch;
  setup.plan.seed = training.seed;
  set_stops(training, setup.plan.stop);
  setup.length = length_of(training, setup.plan);
  setup.rule = rule_over(training.rule, setup.length);
  return setup;
}

std::optional<TrainingSetup> set_up_training(Session& session, CheckedProgram program,
                                             const RunRecord* record) {
  std::optional<LoadedData> data = load_data(session, program, record);
  if (!data) return std::nullopt;
  TrainingSetup setup = make_setup(std::move(program), *std::move(data));
  if (setup.program.training && !check_setup(session, setup)) return std::nullopt;
  return setup;
}

UpdateRule rule_over(UpdateRule rule, const RunLength& length) {
  for (Hyper& hyper : rule.hypers) {
    if (hyper.name == kEpochStepsHyper) hyper.value = length.epoch_steps;
    if (hyper.name == kLastStepHyper) hyper.value = length.last_step;
  }
  return rule;
}

std::vector<std::int64_t> batch_of_step(const TrainPlan& plan, std::int64_t step) {
  if (plan.rows.empty()) return {};
  const auto rows = static_cast<std::int64_t>(plan.rows.size());
  const std::int64_t per_epoch = steps_of_epoch(plan);
  const bool is_shuffled = plan.order == RowOrder::kShuffledEachEpoch && plan.batch < rows;
  const auto epoch = static_cast<std::uint64_t>(step / per_epoch + 1);
  const std::vector<std::int64_t> order = is_shuffled ? shuffled(plan.rows, plan.seed, epoch) : plan.rows;
  const std::int64_t begin = step % per_epoch * plan.batch;
  const std::int64_t end = std::min(rows, begin + plan.batch);
  return {order.begin() + begin, order.begin() + end};
}

}  // namespace dlg
