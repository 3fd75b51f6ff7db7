#include "frontend/rules/rule_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/settings.h"
#include "frontend/rules/parameter_paths.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoRate{DiagCode::BadSetting, Severity::kError,
                                    "`decoupled` takes off lr times the rate, and `{}` has no argument `lr`"};
constexpr Diag<std::string, std::string> kNotOfTheRule{DiagCode::UnknownArgument, Severity::kError,
                                                       "neither `{}` nor the settings of a group have `{}`"};
constexpr Diag<> kAllFrozen{DiagCode::UnusedParameter, Severity::kError,
                            "every parameter is frozen, so there is nothing to train"};
constexpr const char* kDecayKey = "weight_decay";

class SettingsReader {
 public:
  SettingsReader(Elaboration& e, const RuleSettings& settings, RuleText& text)
      : e_(e),
        settings_(settings),
        text_(text),
        optimizer_(e.library.unit(text.unit).optimizers[text.index]) {}

  bool run() {
    const std::size_t before = e_.diagnostics->error_count();
    text_.last_step = settings_.last_step;
    text_.is_gradient_watched = settings_.is_gradient_watched;
    text_.measurable = settings_.measurable;
    text_.clip = settings_.clip;
    if (settings_.weight_decay.is_valid()) read_decay();
    if (settings_.ema.is_valid()) read_average();
    if (settings_.accumulate.is_valid()) read_accumulation();
    for (const ast::ExprId id : items(settings_.groups)) read_group(id);
    for (const ast::ExprId id : items(settings_.freeze)) freeze(id);
    check_frozen();
    return e_.diagnostics->error_count() == before;
  }

 private:
  /// The items of a list; a single value is a list of one.
  std::vector<ast::ExprId> items(ast::ExprId id) const {
    if (!id.is_valid()) return {};
    const ast::Expr& expr = e_.expr(id);
    return expr.kind == ast::ExprKind::kList ? expr.args : std::vector<ast::ExprId>{id};
  }

  bool has_formal(const std::string& name) const {
    return std::any_of(optimizer_.formals.begin(), optimizer_.formals.end(),
                       [&](const ast::Formal& formal) { return formal.name.text == name; });
  }

  std::optional<ArgumentText> argument(const std::string& name, ast::ExprId expr) {
    return argument_text(e_, name, expr, settings_.last_step);
  }

  void read_decay() {
    const ast::Expr& expr = e_.expr(settings_.weight_decay);
    const std::string_view word =
        expr.kind == ast::ExprKind::kCall ? callee_of(e_, settings_.weight_decay) : std::string_view();
    const bool is_known = word == "coupled" || word == "decoupled";
    if (!is_known || expr.arguments.size() != 1) {
      return report_bad_setting(e_, settings_.weight_decay, kDecayKey,
                                "`coupled(1e-4)` or `decoupled(1e-4)`");
    }
    text_.decay = word == "coupled" ? WeightDecay::kCoupled : WeightDecay::kDecoupled;
    if (text_.decay == WeightDecay::kDecoupled && !has_formal("lr")) {
      e_.error(expr.range, kNoRate, optimizer_.name.text);
    }
    const auto rate = argument(kDecayKey, expr.arguments[0].value);
    if (rate) text_.decay_rate = *rate;
    if (rate) check_decay(*rate);
  }

  /// In the first update, where it is a schedule.
  void check_decay(const ArgumentText& rate) {
    if (!(rate.value >= 0)) report_bad_setting(e_, rate.expr, kDecayKey, "a rate of at least 0");
  }

  void read_average() {
    text_.average = argument("ema", settings_.ema);
    const bool is_share = !text_.average || (text_.average->value >= 0 && text_.average->value < 1);
    if (!is_share) report_bad_setting(e_, settings_.ema, "ema", "at least 0 and less than 1");
  }

  void read_accumulation() {
    const auto count = whole_setting(e_, settings_.accumulate, kAccumulateHyper, 1);
    if (count && *count > 1) text_.accumulate = argument(kAccumulateHyper, settings_.accumulate);
  }

  void read_group(ast::ExprId id) {
    const ast::Expr& expr = e_.expr(id);
    const bool is_group = expr.kind == ast::ExprKind::kCall && callee_of(e_, id) == "group" &&
                          expr.arguments.size() > 1 && !expr.arguments[0].name;
    if (!is_group) {
      return report_bad_setting(e_, id, "groups", "groups as in `group(mlp.dense[0], lr = 1e-4)`");
    }
    RuleGroup group;
    group.paths = parameter_paths(e_, expr.arguments[0].value);
    for (std::size_t i = 1; i < expr.arguments.size(); ++i) read_own(expr.arguments[i], group);
    text_.groups.push_back(std::move(group));
  }

  /// `lr = 1e-4` in a group: an argument of the rule, or the rate of the decay.
  void read_own(const ast::Argument& own, RuleGroup& group) {
    const std::string key = own.name ? own.name->text : "";
    const bool is_decay = key == kDecayKey && text_.decay != WeightDecay::kNone;
    if (!is_decay && !has_formal(key)) {
      const SourceRange range = own.name ? own.name->range : e_.expr(own.value).range;
      Report report = e_.error(range, kNotOfTheRule, optimizer_.name.text,
                               own.name ? key : std::string(e_.sources.text(range)));
      report.note(key == kDecayKey ? "`weight_decay = coupled(1e-4)` beside the groups says which decay it is"
                                   : "a group gives arguments of the rule by their names, or `weight_decay`");
      return;
    }
    const auto text = argument(fmt::format("group[{}].{}", text_.groups.size(), key), own.value);
    if (text && is_decay) check_decay(*text);
    if (text) group.arguments.emplace_back(key, *text);
  }

  void freeze(ast::ExprId id) {
    const std::vector<std::string> paths = parameter_paths(e_, id);
    text_.frozen.insert(text_.frozen.end(), paths.begin(), paths.end());
  }

  void check_frozen() {
    if (text_.frozen.empty()) return;
    for (const State& state : e_.builder.graph().states) {
      const bool is_frozen =
          std::find(text_.frozen.begin(), text_.frozen.end(), state.path) != text_.frozen.end();
      if (state.kind == StateKind::kParameter && !is_frozen) return;
    }
    e_.error(e_.expr(settings_.freeze).range, kAllFrozen);
  }

  Elaboration& e_;
  const RuleSettings& settings_;
  RuleText& text_;
  const ast::Optimizer& optimizer_;
};

}  // namespace

bool read_rule_settings(Elaboration& e, const RuleSettings& settings, RuleText& text) {
  return SettingsReader(e, settings, text).run();
}

}  // namespace dlg
