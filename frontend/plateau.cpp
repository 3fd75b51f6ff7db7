// Owns `plateaus(patience)`, which a schedule reads: how often the loss has stood still.
#include <fmt/format.h>

#include <limits>

#include "frontend/builtin_calls.h"
#include "frontend/constants.h"
#include "frontend/tensors.h"
#include "ir/graph/update_rule.h"

namespace dlg {
namespace {

/// One number of the rule: at the start of the step, and what becomes of it.
class Memory {
 public:
  Memory(UpdateScope& scope, std::string name, double initial)
      : scope_(scope),
        name_(std::move(name)),
        before_{&scope.builder(), scope.scalar_state(name_, initial)} {}

  Expr before() const { return before_; }
  void becomes(Expr value) { scope_.set_scalar_state(name_, value.value); }

 private:
  UpdateScope& scope_;
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

/// Whether the epoch ends with this step.
Expr ends_epoch(Elaboration& e) {
  const Expr steps = scalar(e, *e.schedule->moment("epoch_steps"));
  const Expr step{&e.builder, e.update->step()};
  return compare(">", whole_part(step / steps), whole_part((step - 1.0) / steps));
}

/// At the end of an epoch its mean loss is better than all before, or the steps without a better one grow;
/// where they reach `patience`, a plateau is counted and the steps begin anew.
Expr count_plateaus(Elaboration& e, const std::string& name, Expr patience) {
  UpdateScope& scope = *e.update;
  Memory sum(scope, name + ".sum", 0), steps(scope, name + ".steps", 0), waited(scope, name + ".waited", 0);
  Memory best(scope, name + ".best", std::numeric_limits<double>::max()), count(scope, name + ".count", 0);
  const Expr is_end = ends_epoch(e);
  const auto at_end = [&](Expr then, Expr otherwise) { return select(is_end, then, otherwise); };
  const Expr zero = constant_like(patience, 0);
  const Expr sum_now = sum.before() + cast({&e.builder, scope.loss()}, DType::kF64);
  const Expr steps_now = steps.before() + 1.0;
  const Expr mean = sum_now / steps_now;
  const Expr is_better = compare("<", mean, best.before());
  const Expr waited_now = at_end(select(is_better, zero, waited.before() + 1.0), waited.before() + 1.0);
  const Expr is_over = compare(">=", waited_now, patience);
  sum.becomes(at_end(zero, sum_now));
  steps.becomes(at_end(zero, steps_now));
  best.becomes(at_end(select(is_better, mean, best.before()), best.before()));
  waited.becomes(at_end(select(is_over, zero, waited_now), waited_now));
  count.becomes(at_end(select(is_over, count.before() + 1.0, count.before()), count.before()));
  return count.before();
}

}  // namespace

Value plateaus_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  if (!e.schedule) return misplaced_call(e, builtin, call);
  e.schedule->is_read = true;
  const Operand& patience = call.arguments[0].operand;
  if (!e.update) {
    return plain_number(e, patience, "the patience") ? number_value(0) : Value{Poison{}};
  }
  std::string name = "plateau";
  for (int i = 2; !e.named_before.insert(name).second; ++i) name = fmt::format("plateau_{}", i);
  const Expr count = count_plateaus(e, name, scalar(e, patience.value));
  return {TensorValue{count.value, {}, Batching::kShared, DType::kF64}};
}

}  // namespace dlg
