// Owns `plateaus(patience, of = value)`, which a schedule reads: how often a value has stood still.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "frontend/elaborate/builtin_calls.h"
#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/tensors.h"
#include "frontend/elaborate/watched_values.h"
#include "ir/graph/update_rule.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoMeasure{
    DiagCode::BadSetting, Severity::kError,
    "found {} as what a plateau looks at, expected `loss`, `val.loss` or a metric of a part"};
constexpr Diag<std::string> kNoMode{DiagCode::BadSetting, Severity::kError,
                                    "found {} as the mode of a plateau, expected `max` or `min`"};
constexpr double kLargest = std::numeric_limits<double>::max();

/// One number of the rule: at the start of the step, and what becomes of it.
class Memory {
 public:
  Memory(RuleBuilder& scope, std::string name, double initial)
      : scope_(scope),
        name_(std::move(name)),
        before_{&scope.builder(), scope.scalar_state(name_, initial)} {}

  Expr before() const { return before_; }
  void becomes(Expr value) { scope_.set_scalar_state(name_, value.value); }

 private:
  RuleBuilder& scope_;
  std::string name_;
  Expr before_;
};

Expr scalar(Elaboration& e, const Value& value) {
  if (const NumberValue* number = value.as<NumberValue>()) {
    return constant(e.builder, number->value, {DType::kF64, {}});
  }
  return expr_of(e, *value.as<TensorValue>());
}

Expr whole_part(Expr x) {
  return cast(cast(x, DType::kI64), DType::kF64);
}

/// Epochs that have ended after so many steps.
Expr epochs_after(Elaboration& e, Expr steps) {
  return whole_part(steps / scalar(e, *e.rate_schedule->moment("epoch_steps")));
}

Expr this_step(Elaboration& e) {
  return {&e.builder, e.rule->builder.step()};
}

/// Counts how often what epochs end with was no better than all before for `patience` steps: then a plateau
/// is counted and the steps begin anew.
class Counter {
 public:
  Counter(Elaboration& e, const std::string& name, Expr patience)
      : e_(e),
        patience_(patience),
        zero_(constant_like(patience, 0)),
        waited_(e.rule->builder, name + ".waited", 0),
        count_(e.rule->builder, name + ".count", 0) {}

  /// The count before this step. The mean loss of an epoch is known with its last step.
  Expr of_training_loss(const std::string& name, const WatchedValue& watched);
  /// The same for a value that is measured between two epochs.
  Expr of_measured(const std::string& name, const WatchedValue& watched);

 private:
  /// Where `is_end` holds, the value behind `waited` steps; answers the count then. `more` steps are added to
  /// those that are kept.
  Expr look(Expr is_end, Expr is_better, Expr waited, double more);

  Elaboration& e_;
  Expr patience_;
  Expr zero_;
  Memory waited_, count_;
};

Expr Counter::look(Expr is_end, Expr is_better, Expr waited, double more) {
  const Expr since = select(is_end, select(is_better, zero_, waited), waited);
  const Expr is_over = compare(">=", since, patience_);
  const Expr kept = select(is_end, select(is_over, zero_, since), since);
  const Expr count = select(is_end, select(is_over, count_.before() + 1.0, count_.before()), count_.before());
  waited_.becomes(more == 0 ? kept : kept + more);
  count_.becomes(count);
  return count;
}

Expr Counter::of_training_loss(const std::string& name, const WatchedValue& watched) {
  RuleBuilder& scope = e_.rule->builder;
  const bool is_larger = is_larger_better(watched);
  Memory sum(scope, name + ".sum", 0), steps(scope, name + ".steps", 0),
      best(scope, name + ".best", is_larger ? -kLargest : kLargest);
  const Expr is_end = compare(">", epochs_after(e_, this_step(e_)), epochs_after(e_, this_step(e_) - 1.0));
  const Expr sum_now = sum.before() + cast({&e_.builder, scope.loss()}, DType::kF64);
  const Expr steps_now = steps.before() + 1.0;
  const Expr mean = sum_now / steps_now;
  const Expr is_better = compare(is_larger ? ">" : "<", mean, best.before());
  sum.becomes(select(is_end, zero_, sum_now));
  steps.becomes(select(is_end, zero_, steps_now));
  best.becomes(select(is_end, select(is_better, mean, best.before()), best.before()));
  look(is_end, is_better, waited_.before() + 1.0, 0);
  return count_.before();
}

Expr Counter::of_measured(const std::string& name, const WatchedValue& watched) {
  RuleBuilder& scope = e_.rule->builder;
  const bool is_larger = is_larger_better(watched);
  Memory value(scope, measured_state(watched), 0),
      best(scope, name + ".best", is_larger ? -kLargest : kLargest);
  // An epoch has ended before this step and not before the last one; none has before the first two.
  const Expr before = this_step(e_) - 1.0;
  const Expr is_end = compare(">", epochs_after(e_, before), epochs_after(e_, max(before - 1.0, zero_)));
  const Expr is_better = compare(is_larger ? ">" : "<", value.before(), best.before());
  best.becomes(select(is_end, select(is_better, value.before(), best.before()), best.before()));
  // It is written between two epochs, by who measures it.
  value.becomes(value.before());
  return look(is_end, is_better, waited_.before(), 1);
}

const Operand* argument_named(const Call& call, std::string_view name) {
  const auto found = std::find_if(
      call.arguments.begin(), call.arguments.end(),
      [&](const CallArgument& argument) { return argument.name && argument.name->text == name; });
  return found == call.arguments.end() ? nullptr : &found->operand;
}

/// `mode`: `max` and `min` are functions here as everywhere; a measured value stands for its own direction.
std::optional<Better> mode_of(Elaboration& e, const Operand& mode, const WatchedValue& watched) {
  if (mode.value.as<MeasuredValue>()) return watched.better;
  const FunctionValue* function = mode.value.as<FunctionValue>();
  const std::optional<Better> better = function ? better_of_mode(function->name) : std::nullopt;
  if (!better && !mode.value.is_poison()) e.error(mode.range, kNoMode, kind_text(mode.value));
  return better;
}

/// What the call looks at, with the direction in which it is better.
std::optional<MeasuredInput> measured_input(Elaboration& e, const Call& call) {
  MeasuredInput input{e.measurable.judged, e.user_place(call.range)};
  if (const Operand* of = argument_named(call, "of")) {
    const MeasuredValue* measured = of->value.as<MeasuredValue>();
    if (!measured) {
      if (!of->value.is_poison()) e.error(of->range, kNoMeasure, kind_text(of->value));
      return std::nullopt;
    }
    input = {measured->watched, e.user_place(of->range)};
  }
  if (const Operand* mode = argument_named(call, "mode")) {
    const std::optional<Better> better = mode_of(e, *mode, input.watched);
    if (!better) return std::nullopt;
    input.watched.better = *better;
  }
  if (!check_direction(e, input.watched, e.user_place(call.range))) return std::nullopt;
  return input;
}

}  // namespace

Value plateaus_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  if (!e.rate_schedule) return misplaced_call(e, builtin, call);
  e.rate_schedule->is_read = true;
  const Operand& patience = call.arguments[0].operand;
  const std::optional<MeasuredInput> looked_at = measured_input(e, call);
  if (!looked_at) return {Poison{}};
  const MeasuredInput& input = *looked_at;
  if (!e.rule || e.rate_schedule->is_trial) {
    return plain_number(e, patience, "the patience") ? number_value(0) : Value{Poison{}};
  }
  std::string name = "plateau";
  for (int i = 2; !e.named_before.insert(name).second; ++i) name = fmt::format("plateau_{}", i);
  Counter counter(e, name, scalar(e, patience.value));
  const bool is_loss = input.watched.part.empty();
  const bool is_new =
      std::none_of(e.rule->measured.begin(), e.rule->measured.end(),
                   [&](const MeasuredInput& known) { return known.watched == input.watched; });
  if (!is_loss && is_new) e.rule->measured.push_back(input);
  const Expr count =
      is_loss ? counter.of_training_loss(name, input.watched) : counter.of_measured(name, input.watched);
  return {TensorValue{count.value, {}, Batching::kShared, DType::kF64}};
}

}  // namespace dlg
