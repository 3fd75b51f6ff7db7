#include "frontend/blocks/stop_list.h"

#include <array>
#include <cmath>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/settings.h"
#include "frontend/elaborate/watched_values.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kBadStop{
    DiagCode::BadStop, Severity::kError,
    "found `{}`, expected a limit as `20 epochs` or a condition as `loss < 0.01`"};
constexpr const char* kConditions =
    "limits are `20 epochs`, `1000 steps`, `2 min`; conditions `change(loss) < 1e-6`, `loss < 0.01`, "
    "`norm(grad) < "
    "1e-4`, `val.loss < 0.1`, `val.accuracy > 0.97`, `plateau(val.loss, patience = 3 epochs)`";
constexpr Diag<std::string> kUnknownUnit{DiagCode::BadStop, Severity::kError,
                                         "unknown unit `{}`, expected epochs, steps, s, min or h"};
constexpr Diag<std::string> kBadCount{DiagCode::BadStop, Severity::kError,
                                      "found `{}`, expected a whole number from 1 to 2^53"};
constexpr Diag<> kNoTime{DiagCode::BadStop, Severity::kError,
                         "a time of 0 would stop before training starts"};
constexpr Diag<std::string> kTooLong{DiagCode::BadStop, Severity::kError,
                                     "found `{}`, expected at most 100 years"};
constexpr Diag<> kNoEpochs{DiagCode::BadStop, Severity::kError,
                           "a program without data has no epochs; count `steps` instead"};
constexpr Diag<> kPatience{DiagCode::BadStop, Severity::kError,
                           "a plateau has a `patience` of at least one whole epoch: `patience = 3 epochs`"};
constexpr Diag<std::string> kMode{DiagCode::BadStop, Severity::kError,
                                  "found `{}` as the mode of a plateau, expected `max` or `min`"};
constexpr Diag<> kEmptyStop{DiagCode::BadStop, Severity::kError, "`stop` names no condition"};

struct UnitRow {
  std::string_view word;
  StopCondition::Kind kind;
  double factor;  // seconds, for times
};

using Kind = StopCondition::Kind;

constexpr std::array<UnitRow, 15> kUnits{{
    {"epochs", Kind::kEpochs, 1},
    {"epoch", Kind::kEpochs, 1},
    {"steps", Kind::kSteps, 1},
    {"step", Kind::kSteps, 1},
    {"s", Kind::kSeconds, 1},
    {"sec", Kind::kSeconds, 1},
    {"second", Kind::kSeconds, 1},
    {"seconds", Kind::kSeconds, 1},
    {"min", Kind::kSeconds, 60},
    {"minute", Kind::kSeconds, 60},
    {"minutes", Kind::kSeconds, 60},
    {"h", Kind::kSeconds, 3600},
    {"hour", Kind::kSeconds, 3600},
    {"hours", Kind::kSeconds, 3600},
    {"mins", Kind::kSeconds, 60},
}};

const UnitRow* unit_row(std::string_view word) {
  for (const UnitRow& row : kUnits) {
    if (row.word == word) return &row;
  }
  return nullptr;
}

/// Beyond 2^53 doubles skip whole numbers. Every count of a run stays inside 64 bits.
constexpr double kLargestCount = 0x1p53;
constexpr double kLongest = 100.0 * 366 * 24 * 3600;

bool is_count(double number) {
  return number >= 1 && number <= kLargestCount && number == std::floor(number);
}

bool has_data(const Elaboration& e) {
  for (const DeclaredData& data : e.data) {
    if (data.is_used) return true;
  }
  return false;
}

std::optional<StopCondition> counted_stop(Elaboration& e, const ast::Expr& expr) {
  const UnitRow* row = unit_row(expr.text);
  if (!row) {
    e.error(expr.range, kUnknownUnit, expr.text);
    return std::nullopt;
  }
  if (row->kind != Kind::kSeconds && !is_count(expr.number)) {
    e.error(expr.range, kBadCount, std::string(e.sources.text(expr.range)));
    return std::nullopt;
  }
  if (!(expr.number > 0)) {
    e.error(expr.range, kNoTime);
    return std::nullopt;
  }
  if (row->kind == Kind::kSeconds && expr.number * row->factor > kLongest) {
    e.error(expr.range, kTooLong, std::string(e.sources.text(expr.range)));
    return std::nullopt;
  }
  if (row->kind == Kind::kEpochs && !has_data(e) && !(e.loss && e.loss->is_poison())) {
    e.error(expr.range, kNoEpochs);
    return std::nullopt;
  }
  return StopCondition{row->kind, expr.number * row->factor, {}, "", expr.range};
}

/// Whether `id` is `callee(word)`.
bool is_call_of(const Elaboration& e, ast::ExprId id, std::string_view callee, std::string_view word) {
  const ast::Expr& expr = e.expr(id);
  return expr.kind == ast::ExprKind::kCall && callee_of(e, id) == callee && expr.arguments.size() == 1 &&
         word_of(e, expr.arguments[0].value) == word;
}

/// `change(loss)`, `norm(grad)` or `loss` on the left of `<`.
std::optional<Kind> small_kind(const Elaboration& e, ast::ExprId id) {
  if (word_of(e, id) == "loss") return Kind::kLossBelow;
  if (is_call_of(e, id, "change", "loss")) return Kind::kChange;
  if (is_call_of(e, id, "norm", "grad")) return Kind::kGradientBelow;
  return std::nullopt;
}

/// `loss`, `val.loss`, `train.accuracy`.
std::optional<WatchedValue> watched_value(Elaboration& e, ast::ExprId id, const Training& training) {
  const ast::Expr& expr = e.expr(id);
  if (word_of(e, id) == "loss") return WatchedValue{"", "loss"};
  const bool is_member = expr.kind == ast::ExprKind::kMember;
  const std::string part(is_member ? word_of(e, expr.args[0]) : std::string_view());
  return watched_value(e, training.metrics, {part, expr.text}, expr.range);
}

/// `plateau(val.loss, patience = 3 epochs)`, or with `mode = max` for a metric of the program's own.
std::optional<StopCondition> plateau(Elaboration& e, const ast::Expr& expr, const Training& training) {
  StopCondition stop{Kind::kPlateau, 0, {}, "", expr.range};
  std::optional<Better> mode;
  for (const ast::Argument& argument : expr.arguments) {
    const ast::Expr& value = e.expr(argument.value);
    if (!argument.name) {
      const auto watched = watched_value(e, argument.value, training);
      if (!watched) return std::nullopt;
      stop.watched = *watched;
      continue;
    }
    if (argument.name->text == "mode") {
      mode = better_of_mode(word_of(e, argument.value));
      if (!mode) {
        e.error(value.range, kMode, std::string(e.sources.text(value.range)));
        return std::nullopt;
      }
      continue;
    }
    const UnitRow* row = value.kind == ast::ExprKind::kUnit ? unit_row(value.text) : nullptr;
    const bool is_good =
        argument.name->text == "patience" && row && row->kind == Kind::kEpochs && is_count(value.number);
    stop.value = is_good ? value.number : 0;
  }
  if (stop.watched.name.empty() || stop.value == 0 || expr.arguments.size() != (mode ? 3 : 2)) {
    e.error(expr.range, kPatience);
    return std::nullopt;
  }
  if (mode) stop.watched.better = *mode;
  if (!check_direction(e, stop.watched, expr.range)) return std::nullopt;
  return stop;
}

/// `val.loss < 0.1`, `val.accuracy > 0.97`.
std::optional<StopCondition> target(Elaboration& e, const ast::Expr& expr, const Training& training) {
  const auto watched = watched_value(e, expr.args[0], training);
  if (!watched) return std::nullopt;
  const auto limit = plain_number(e, evaluate_operand(e, expr.args[1]), "a limit");
  if (!limit) return std::nullopt;
  return StopCondition{expr.text == "<" ? Kind::kBelow : Kind::kAbove, *limit, *watched, "", expr.range};
}

std::optional<StopCondition> stop_condition(Elaboration& e, ast::ExprId id, const Training& training) {
  const ast::Expr& expr = e.expr(id);
  if (expr.kind == ast::ExprKind::kError) return std::nullopt;
  if (expr.kind == ast::ExprKind::kUnit) return counted_stop(e, expr);
  if (expr.kind == ast::ExprKind::kCall && callee_of(e, id) == "plateau") return plateau(e, expr, training);
  const bool is_below = expr.kind == ast::ExprKind::kBinary && expr.text == "<";
  const bool is_above = expr.kind == ast::ExprKind::kBinary && expr.text == ">";
  const std::optional<Kind> kind = is_below ? small_kind(e, expr.args[0]) : std::nullopt;
  const bool has_part = (is_below || is_above) && e.expr(expr.args[0]).kind == ast::ExprKind::kMember;
  if (!kind && has_part) return target(e, expr, training);
  if (!kind) {
    e.error(expr.range, kBadStop, std::string(e.sources.text(expr.range))).note(kConditions);
    return std::nullopt;
  }
  const auto limit = plain_number(e, evaluate_operand(e, expr.args[1]), "a limit");
  if (!limit) return std::nullopt;
  return StopCondition{*kind, *limit, {}, "", expr.range};
}

}  // namespace

std::vector<StopCondition> stop_conditions(Elaboration& e, ast::ExprId id, const Training& training) {
  const ast::Expr& expr = e.expr(id);
  const std::vector<ast::ExprId> items =
      expr.kind == ast::ExprKind::kList ? expr.args : std::vector<ast::ExprId>{id};
  if (items.empty()) e.error(expr.range, kEmptyStop);
  std::vector<StopCondition> conditions;
  for (const ast::ExprId item : items) {
    std::optional<StopCondition> condition = stop_condition(e, item, training);
    if (!condition) continue;
    condition->text = std::string(e.sources.text(condition->range));
    conditions.push_back(*std::move(condition));
  }
  return conditions;
}

}  // namespace dlg
