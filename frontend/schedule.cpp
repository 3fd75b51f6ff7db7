#include "frontend/schedule.h"

#include "frontend/constants.h"
#include "frontend/elementwise.h"
#include "frontend/expressions.h"

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
  const Value number = e.schedule->as_input ? e.schedule->as_input(count) : Value{count};
  if (!is_epochs) return number;
  e.schedule->is_read = true;
  const Value steps = *e.schedule->moment("epoch_steps");
  return binary(e, "*", {number, expr.range}, {steps, expr.range}, expr.range);
}

/// The moment before the first update, as far as the text knows it.
std::optional<Value> first_moment(const std::string& name, LastStep last_step) {
  if (name == "epoch") return number_value(0);
  if (name == "step" || name == "epoch_steps" || (name == "last_step" && last_step == LastStep::kKnown))
    return number_value(1);
  return std::nullopt;
}

}  // namespace

std::optional<ArgumentText> argument_text(Elaboration& e, const std::string& name, ast::ExprId expr,
                                          LastStep last_step) {
  e.schedule = Schedule{[last_step](const std::string& word) { return first_moment(word, last_step); },
                        nullptr, e.frames.size(), false};
  const Operand operand = evaluate_operand(e, expr);
  const bool is_scheduled = e.schedule->is_read;
  e.schedule.reset();
  const std::string last = name.substr(name.rfind('.') + 1);
  const std::optional<double> number = plain_number(e, operand, "a number for `" + last + "`");
  if (!number) return std::nullopt;
  return ArgumentText{name, e.frame().unit, expr, *number, is_scheduled};
}

Value scheduled_leaf(Elaboration& e, const ast::Expr& expr, Value value) {
  const bool is_leaf = expr.kind == ast::ExprKind::kNumber || expr.kind == ast::ExprKind::kName ||
                       expr.kind == ast::ExprKind::kMember;
  if (const UnitValue* unit = value.as<UnitValue>()) return in_steps(e, expr, *unit);
  if (const NumberValue* number = value.as<NumberValue>()) {
    return is_leaf && e.schedule->as_input ? e.schedule->as_input(*number) : value;
  }
  if (ListValue* list = std::get_if<ListValue>(&value.data)) list->kind = ListKind::kParameters;
  return value;
}

}  // namespace dlg
