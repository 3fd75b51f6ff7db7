#include "frontend/elaborate/repeats.h"

#include <fmt/format.h>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/tensors.h"

namespace dlg {
namespace {

constexpr Diag<std::int64_t, std::int64_t> kRounds{DiagCode::NotANumber, Severity::kError,
                                                   "found {} rounds, expected 1 to {}"};
constexpr Diag<std::int64_t, std::string, std::string> kChangesType{
    DiagCode::ShapeMismatch, Severity::kError, "round {} makes {} of {}, expected the same again"};

std::string type_of(const Elaboration& e, const Value& value) {
  const std::optional<Axes> axes = axes_if_tensor(e, value);
  return axes && !value.as<NumberValue>() ? axes_text(*axes) : kind_text(value);
}

/// Whether the next round can go on with it.
bool is_same_type(const Elaboration& e, const Value& before, const Value& after) {
  const TensorValue* a = before.as<TensorValue>();
  const TensorValue* b = after.as<TensorValue>();
  if (a && b && a->dtype != b->dtype) return false;
  const std::optional<Axes> from = axes_if_tensor(e, before);
  const std::optional<Axes> to = axes_if_tensor(e, after);
  return from && to && from->size() == to->size() && unify(*from, *to);
}

}  // namespace

Value evaluate_repeat(Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  const ast::Name name{expr.text, expr.op_range};
  Value value = evaluate(e, expr.args[0]);
  const Operand times = evaluate_operand(e, expr.args[1]);
  const std::optional<std::int64_t> count = whole_number(e, times, "a number of rounds");
  if (!count || value.is_poison()) return {Poison{}};
  if (*count < 1 || *count > kMostCalls) {
    e.error(times.range, kRounds, *count, kMostCalls);
    return {Poison{}};
  }
  check_given_once(e, name);
  if (e.frame().names.count(name.text) > 0) return {Poison{}};
  for (std::int64_t round = 0; round < *count && !value.is_poison(); ++round) {
    e.frame().rounds[id] = {*count, round};
    value.origin = name.range;
    e.frame().names[name.text] = value;
    Value next = evaluate(e, expr.args[2]);
    if (!next.is_poison() && !is_same_type(e, value, next)) {
      e.error(e.expr(expr.args[2]).range, kChangesType, round + 1, type_of(e, next), type_of(e, value));
      next = {Poison{}};
    }
    value = std::move(next);
  }
  e.frame().names.erase(name.text);
  return value;
}

}  // namespace dlg
