#include "frontend/rules/optimizer_rule.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/settings.h"
#include "frontend/elaborate/signature.h"
#include "frontend/rules/rule_replay.h"
#include "frontend/rules/rule_requirements.h"
#include "frontend/rules/rule_settings.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotAnOptimizer{DiagCode::UnknownName, Severity::kError,
                                            "unknown optimizer `{}`"};
constexpr Diag<std::string> kOptimizerWanted{DiagCode::BadSetting, Severity::kError,
                                             "`optimizer` is `{}`, expected a rule as in `sgd(lr = 0.1)`"};

constexpr Diag<std::string, std::string> kNoFlavour{DiagCode::UnknownName, Severity::kError,
                                                    "`{}` has no form `like = {}`"};

const ast::Argument* flavour_of(const ast::Expr& call) {
  const auto found = std::find_if(
      call.arguments.begin(), call.arguments.end(),
      [](const ast::Argument& argument) { return argument.name && argument.name->text == "like"; });
  return found == call.arguments.end() ? nullptr : &*found;
}

const TopName* named_optimizer(Elaboration& e, const std::string& name) {
  const TopName* top = e.library.find(0, name);
  return top && top->kind == TopName::Kind::kOptimizer ? top : nullptr;
}

/// `rmsprop(..., like = torch)` is the rule `rmsprop_torch`.
const TopName* find_flavour(Elaboration& e, const std::string& name, const ast::Argument& like) {
  const SourceRange range = e.expr(like.value).range;
  const std::string word(e.sources.text(range));
  if (const TopName* top = named_optimizer(e, name + "_" + word)) return top;
  std::vector<std::string> known;
  for (const char* flavour : {"torch", "keras", "optax"}) {
    if (named_optimizer(e, fmt::format("{}_{}", name, flavour)))
      known.push_back(fmt::format("`{}`", flavour));
  }
  e.error(range, kNoFlavour, name, word)
      .note(known.empty() ? fmt::format("`{}` has one form only", name)
                          : fmt::format("it has the forms {}", join_words(known)));
  return nullptr;
}

const TopName* find_optimizer(Elaboration& e, ast::ExprId id) {
  const std::string name(callee_of(e, id));
  const ast::Expr& expr = e.expr(id);
  if (name.empty()) {
    e.error(expr.range, kOptimizerWanted, std::string(e.sources.text(expr.range)));
    return nullptr;
  }
  if (const TopName* top = named_optimizer(e, name)) {
    const ast::Argument* like = flavour_of(expr);
    return like ? find_flavour(e, name, *like) : top;
  }
  const SourceRange place = expr.kind == ast::ExprKind::kCall ? e.expr(expr.args[0]).range : expr.range;
  Report report = e.error(place, kNotAnOptimizer, name);
  if (const auto near = nearest_name(name, e.library.names(0, TopName::Kind::kOptimizer))) {
    report.suggest(place, *near, fmt::format("did you mean `{}`?", *near));
  }
  return nullptr;
}

/// The arguments as written, not evaluated: they may be schedules.
Call written_call(const Elaboration& e, const ast::Expr& expr) {
  Call call{expr.range, {}, {}};
  for (const ast::Argument& argument : expr.arguments) {
    if (&argument == flavour_of(expr)) continue;
    call.arguments.push_back(
        {argument.name, {number_value(0), e.expr(argument.value).range}, argument.value});
  }
  return call;
}

/// Reads the arguments of one rule: those of the call in the user's frame, defaults in the rule's own.
class ArgumentReader {
 public:
  ArgumentReader(Elaboration& e, const RuleText& text)
      : e_(e), optimizer_(e.library.unit(text.unit).optimizers[text.index]), text_(text) {}

  std::optional<std::vector<ArgumentText>> run(const Call& call) {
    const auto assigned = assign_arguments(e_, callee_of(optimizer_.name.text, optimizer_.formals), call);
    if (!assigned) return std::nullopt;
    std::vector<std::optional<ArgumentText>> given;
    for (std::size_t i = 0; i < assigned->size(); ++i) {
      const CallArgument* argument = (*assigned)[i];
      given.push_back(argument ? argument_text(e_, name(i), argument->expr, text_.last_step) : std::nullopt);
      if (argument && !given.back()) return std::nullopt;
    }
    Frame frame = frame_beside_models(e_, text_.unit);
    frame.name = optimizer_.name.text;
    frame.call = text_.call;
    e_.frames.push_back(std::move(frame));
    std::optional<std::vector<ArgumentText>> arguments = with_defaults(given);
    e_.frames.pop_back();
    return arguments;
  }

 private:
  std::string name(std::size_t formal) const { return "optimizer." + optimizer_.formals[formal].name.text; }

  std::optional<std::vector<ArgumentText>> with_defaults(
      const std::vector<std::optional<ArgumentText>>& given) {
    std::vector<ArgumentText> arguments;
    bool is_any_scheduled = false;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const ast::Formal& formal = optimizer_.formals[i];
      std::optional<ArgumentText> argument = given[i];
      if (!argument) {
        argument = argument_text(e_, name(i), formal.default_value, text_.last_step);
        if (!argument) return std::nullopt;
        argument->is_default = true;
        // What is computed from a schedule is one.
        const bool is_literal = e_.expr(formal.default_value).kind == ast::ExprKind::kNumber;
        argument->is_scheduled = argument->is_scheduled || (is_any_scheduled && !is_literal);
      }
      is_any_scheduled = is_any_scheduled || argument->is_scheduled;
      e_.frame().names[formal.name.text] = number_value(argument->value);
      arguments.push_back(*argument);
    }
    return arguments;
  }

  Elaboration& e_;
  const ast::Optimizer& optimizer_;
  const RuleText& text_;
};

/// What stands for each argument in print: a number, or the text of a schedule.
std::vector<RuleArgument> shown_arguments(const Elaboration& e, const RuleText& text) {
  std::vector<RuleArgument> shown;
  for (const ArgumentText& argument : text.arguments) {
    const SourceRange range = e.library.unit(argument.unit).exprs[argument.expr].range;
    shown.push_back(
        {argument.name.substr(argument.name.find('.') + 1),
         argument.is_scheduled ? std::string(e.sources.text(range)) : number_text(argument.value)});
  }
  return shown;
}

}  // namespace

std::optional<UpdateRule> elaborate_optimizer(Elaboration& e, const RuleSettings& settings) {
  const TopName* top = find_optimizer(e, settings.optimizer);
  if (!top) return std::nullopt;
  const ast::Expr& expr = e.expr(settings.optimizer);
  e.measurable = settings.measurable;
  RuleText text;
  text.unit = top->unit;
  text.index = top->indices.front();
  text.call = expr.range;
  const bool is_good = read_rule_settings(e, settings, text);
  const std::size_t before = e.diagnostics->error_count();
  std::optional<std::vector<ArgumentText>> arguments = ArgumentReader(e, text).run(written_call(e, expr));
  if (!is_good || !arguments || e.diagnostics->error_count() != before) return std::nullopt;
  text.arguments = *std::move(arguments);
  if (!check_fixed_arguments(e, text)) return std::nullopt;
  std::optional<ElaboratedRule> elaborated = replay_rule(e, text);
  if (!elaborated) return std::nullopt;
  UpdateRule rule;
  rule.name = e.library.unit(text.unit).optimizers[text.index].name.text;
  rule.graph = std::move(elaborated->graph);
  rule.hypers = std::move(elaborated->hypers);
  rule.measured = std::move(elaborated->measured);
  rule.arguments = shown_arguments(e, text);
  rule.frozen = text.frozen;
  rule.is_accumulated = text.accumulate.has_value();
  if (!has_scheduled_requirements(e.library, text)) return rule;
  rule.check_run = [sources = e.sources, library = e.library, text, dtype = e.dtype](
                       const RunLength& run, Diagnostics& diagnostics) {
    check_scheduled_arguments({sources, library, diagnostics, dtype}, text, run);
  };
  return rule;
}

}  // namespace dlg
