#include "frontend/optimizer_rule.h"

#include <fmt/format.h>

#include "frontend/constants.h"
#include "frontend/expressions.h"
#include "frontend/functions.h"
#include "frontend/rule_replay.h"
#include "frontend/settings.h"
#include "frontend/signature.h"
#include "support/check.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotAnOptimizer{DiagCode::UnknownName, Severity::kError,
                                            "unknown optimizer `{}`"};
constexpr Diag<std::string> kOptimizerWanted{DiagCode::BadSetting, Severity::kError,
                                             "`optimizer` is `{}`, expected a rule as in `sgd(lr = 0.1)`"};

const TopName* find_optimizer(Elaboration& e, ast::ExprId id) {
  const std::string name(callee_of(e, id));
  const SourceRange range = e.expr(id).range;
  if (name.empty()) {
    e.error(range, kOptimizerWanted, std::string(e.sources.text(range)));
    return nullptr;
  }
  const TopName* top = e.library.find(0, name);
  if (top && top->kind == TopName::Kind::kOptimizer) return top;
  const ast::Expr& expr = e.expr(id);
  const SourceRange place = expr.kind == ast::ExprKind::kCall ? e.expr(expr.args[0]).range : range;
  Report report = e.error(place, kNotAnOptimizer, name);
  if (const auto near = nearest_name(name, e.library.names(0, TopName::Kind::kOptimizer))) {
    report.suggest(place, *near, fmt::format("did you mean `{}`?", *near));
  }
  return nullptr;
}

/// The numbers of the rule, by formal; defaults are evaluated in the rule's own file.
std::optional<std::vector<Hyper>> bind_numbers(Elaboration& e, const ast::Optimizer& optimizer,
                                               const std::vector<const CallArgument*>& assigned) {
  std::vector<Hyper> hypers;
  bool is_good = true;
  for (std::size_t i = 0; i < optimizer.formals.size(); ++i) {
    const ast::Formal& formal = optimizer.formals[i];
    const Operand operand = assigned[i] ? assigned[i]->operand : evaluate_operand(e, formal.default_value);
    const auto number = plain_number(e, operand, "a number for `" + formal.name.text + "`");
    is_good = is_good && number;
    e.frame().names[formal.name.text] = number_value(number.value_or(0));
    hypers.push_back({"optimizer." + formal.name.text, number.value_or(0), e.user_place(operand.range)});
  }
  if (!is_good) return std::nullopt;
  return hypers;
}

/// `require` looks at the numbers; the rule itself reads them at run time.
void check_requirements(Elaboration& e, const ast::Optimizer& optimizer) {
  for (const ast::Statement& statement : optimizer.body) {
    if (statement.kind == ast::StatementKind::kRequire) elaborate_require(e, statement);
  }
}

}  // namespace

std::optional<UpdateRule> elaborate_optimizer(Elaboration& e, ast::ExprId id) {
  const TopName* top = find_optimizer(e, id);
  if (!top) return std::nullopt;
  const RuleText text{top->unit, top->indices.front(), e.expr(id).range};
  const ast::Optimizer& optimizer = e.library.units[text.unit].optimizers[text.index];
  const Call call = evaluate_arguments(e, e.expr(id), std::nullopt);
  Frame frame;
  frame.unit = text.unit;
  frame.name = optimizer.name.text;
  frame.call = text.call;
  e.frames.push_back(std::move(frame));
  const auto assigned = assign_arguments(e, callee_of(optimizer.name.text, optimizer.formals), call);
  std::optional<std::vector<Hyper>> hypers;
  if (assigned) hypers = bind_numbers(e, optimizer, *assigned);
  if (hypers) check_requirements(e, optimizer);
  e.frames.pop_back();
  if (!hypers || !check_rule(e, text)) return std::nullopt;
  return UpdateRule{optimizer.name.text, *std::move(hypers),
                    [sources = e.sources, library = e.library, text, dtype = e.dtype](UpdateScope& scope) {
                      Diagnostics diagnostics;
                      replay_rule({sources, library, diagnostics, dtype}, text, scope);
                      DLG_CHECK(!diagnostics.has_errors(), diagnostics.all().front().message);
                    }};
}

}  // namespace dlg
