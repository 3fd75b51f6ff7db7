#include "frontend/stop_list.h"

#include <array>
#include <cmath>

#include "frontend/constants.h"
#include "frontend/expressions.h"
#include "frontend/settings.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kBadStop{
    DiagCode::BadStop, Severity::kError,
    "found `{}`, expected `20 epochs`, `1000 steps`, `2 min`, `change(loss) < 1e-6` or `loss < 0.01`"};
constexpr Diag<std::string> kUnknownUnit{DiagCode::BadStop, Severity::kError,
                                         "unknown unit `{}`, expected epochs, steps, s, min or h"};
constexpr Diag<std::string> kBadCount{DiagCode::BadStop, Severity::kError,
                                      "found `{}`, expected a whole number of at least 1"};
constexpr Diag<> kNoTime{DiagCode::BadStop, Severity::kError,
                         "a time of 0 would stop before training starts"};
constexpr Diag<> kNoEpochs{DiagCode::BadStop, Severity::kError,
                           "a program without data has no epochs; count `steps` instead"};
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
  const bool is_count = row->kind != Kind::kSeconds;
  if (is_count && (expr.number < 1 || expr.number != std::floor(expr.number))) {
    e.error(expr.range, kBadCount, std::string(e.sources.text(expr.range)));
    return std::nullopt;
  }
  if (!(expr.number > 0)) {
    e.error(expr.range, kNoTime);
    return std::nullopt;
  }
  if (row->kind == Kind::kEpochs && !has_data(e) && !(e.loss && e.loss->is_poison())) {
    e.error(expr.range, kNoEpochs);
    return std::nullopt;
  }
  return StopCondition{row->kind, expr.number * row->factor, "", expr.range};
}

/// `change(loss)` or `loss` on the left of `<`.
std::optional<Kind> watched(const Elaboration& e, ast::ExprId id) {
  if (word_of(e, id) == "loss") return Kind::kLossBelow;
  const ast::Expr& expr = e.expr(id);
  const bool is_change = expr.kind == ast::ExprKind::kCall && callee_of(e, id) == "change" &&
                         expr.arguments.size() == 1 && word_of(e, expr.arguments[0].value) == "loss";
  if (is_change) return Kind::kChange;
  return std::nullopt;
}

std::optional<StopCondition> stop_condition(Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  if (expr.kind == ast::ExprKind::kError) return std::nullopt;
  if (expr.kind == ast::ExprKind::kUnit) return counted_stop(e, expr);
  const bool is_below = expr.kind == ast::ExprKind::kBinary && expr.text == "<";
  const std::optional<Kind> kind = is_below ? watched(e, expr.args[0]) : std::nullopt;
  if (!kind) {
    e.error(expr.range, kBadStop, std::string(e.sources.text(expr.range)));
    return std::nullopt;
  }
  const auto limit = plain_number(e, evaluate_operand(e, expr.args[1]), "a limit");
  if (!limit) return std::nullopt;
  return StopCondition{*kind, *limit, "", expr.range};
}

}  // namespace

std::vector<StopCondition> stop_conditions(Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  const std::vector<ast::ExprId> items =
      expr.kind == ast::ExprKind::kList ? expr.args : std::vector<ast::ExprId>{id};
  if (items.empty()) e.error(expr.range, kEmptyStop);
  std::vector<StopCondition> conditions;
  for (const ast::ExprId item : items) {
    std::optional<StopCondition> condition = stop_condition(e, item);
    if (!condition) continue;
    condition->text = std::string(e.sources.text(condition->range));
    conditions.push_back(*std::move(condition));
  }
  return conditions;
}

}  // namespace dlg
