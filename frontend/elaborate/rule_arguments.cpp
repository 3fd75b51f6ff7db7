#include "frontend/elaborate/rule_arguments.h"

#include <cmath>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/expressions.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kUnit{DiagCode::BadSetting, Severity::kError,
                                  "found `{}` in an argument of a rule, expected steps or epochs"};

/// `100 steps` as a number of steps.
Value in_steps(Elaboration& e, const ast::Expr& expr, const UnitValue& unit) {
  const bool is_epochs = unit.unit == "epoch" || unit.unit == "epochs";
  if (!is_epochs && unit.unit != "step" && unit.unit != "steps") {
    e.error(expr.range, kUnit, std::string(e.sources.text(expr.range)));
    return {Poison{}};
  }
  const NumberValue count{unit.number, std::nullopt, false};
  const Value number = e.rate_schedule->as_input(count);
  if (!is_epochs) return number;
  e.rate_schedule->is_read = true;
  const Value steps = *e.rate_schedule->moment("epoch_steps");
  return binary(e, "*", {number, expr.range}, {steps, expr.range}, expr.range);
}

std::optional<Value> value_of(const std::string& name, const Moment& moment) {
  if (name == "step") return number_value(moment.step);
  if (name == "epoch") return number_value(std::floor((moment.step - 1) / moment.epoch_steps));
  if (name == "epoch_steps") return number_value(moment.epoch_steps);
  if (name == "last_step" && moment.last_step) return number_value(*moment.last_step);
  return std::nullopt;
}

}  // namespace

RateSchedule rate_schedule_at(const Moment& moment, std::size_t frames) {
  return {[moment](const std::string& word) { return value_of(word, moment); },
          [](const NumberValue& number) { return Value{number}; }, frames, false, false};
}

std::optional<ArgumentValue> argument_at(Elaboration& e, const std::string& what, ast::ExprId expr,
                                         const Moment& moment) {
  ArgumentValue result;
  e.rate_schedule = rate_schedule_at(moment, e.frames.size());
  e.rate_schedule->as_input = [&](const NumberValue& number) {
    result.numbers.push_back(number.value);
    return Value{number};
  };
  const Operand operand = evaluate_operand(e, expr);
  result.is_scheduled = e.rate_schedule->is_read;
  e.rate_schedule.reset();
  const std::optional<double> number = plain_number(e, operand, "a number for `" + what + "`");
  if (!number) return std::nullopt;
  result.value = *number;
  return result;
}

std::optional<ArgumentText> argument_text(Elaboration& e, const std::string& name, ast::ExprId expr,
                                          LastStep last_step) {
  Moment first;
  if (last_step == LastStep::kKnown) first.last_step = 1;
  const auto argument = argument_at(e, name.substr(name.rfind('.') + 1), expr, first);
  if (!argument) return std::nullopt;
  return ArgumentText{name, e.frame().unit, expr, argument->value, argument->is_scheduled};
}

Value scheduled_leaf(Elaboration& e, const ast::Expr& expr, Value value) {
  const bool is_leaf = expr.kind == ast::ExprKind::kNumber || expr.kind == ast::ExprKind::kName ||
                       expr.kind == ast::ExprKind::kMember;
  if (const UnitValue* unit = value.as<UnitValue>()) return in_steps(e, expr, *unit);
  if (const NumberValue* number = value.as<NumberValue>()) {
    return is_leaf ? e.rate_schedule->as_input(*number) : value;
  }
  if (ListValue* list = std::get_if<ListValue>(&value.data)) list->kind = ListKind::kParameters;
  return value;
}

}  // namespace dlg
