#include "frontend/rules/rule_requirements.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/functions.h"
#include "support/text.h"

namespace dlg {
namespace {

/// Steps of a training that are all looked at; of a longer one as many, evenly spread.
constexpr double kMostSteps = 2000;

/// The arguments of a rule as some of its parameters see them, by formal.
struct ArgumentList {
  std::vector<const ArgumentText*> arguments;
  SourceRange place;  // of what asks for them

  bool is_scheduled() const {
    return std::any_of(arguments.begin(), arguments.end(),
                       [](const ArgumentText* argument) { return argument->is_scheduled; });
  }
};

const ast::Optimizer& optimizer_of(const Library& library, const RuleText& rule) {
  return library.unit(rule.unit).optimizers[rule.index];
}

std::vector<const ast::Statement*> requirements_of(const ast::Optimizer& optimizer) {
  std::vector<const ast::Statement*> found;
  for (const ast::Statement& statement : optimizer.body) {
    if (statement.kind == ast::StatementKind::kRequire) found.push_back(&statement);
  }
  return found;
}

bool names(const RuleGroup& group, const std::string& path) {
  return std::find(group.paths.begin(), group.paths.end(), path) != group.paths.end();
}

/// The arguments for one parameter: of several groups that give one, the last counts.
ArgumentList arguments_for(const Library& library, const RuleText& rule, const std::string& path) {
  const std::vector<ast::Formal>& formals = optimizer_of(library, rule).formals;
  ArgumentList list;
  list.place = rule.call;
  for (const ArgumentText& argument : rule.arguments) list.arguments.push_back(&argument);
  for (const RuleGroup& group : rule.groups) {
    if (!names(group, path)) continue;
    for (const auto& own : group.arguments) {
      const auto found = std::find_if(formals.begin(), formals.end(), [&](const ast::Formal& formal) {
        return formal.name.text == own.first;
      });
      if (found == formals.end()) continue;
      list.arguments[static_cast<std::size_t>(found - formals.begin())] = &own.second;
      list.place = library.unit(own.second.unit).exprs[own.second.expr].range;
    }
  }
  return list;
}

/// All lists that differ; the first is that of parameters without a group.
std::vector<ArgumentList> argument_lists(const Library& library, const RuleText& rule) {
  std::vector<ArgumentList> lists{arguments_for(library, rule, "")};
  for (const RuleGroup& group : rule.groups) {
    for (const std::string& path : group.paths) {
      ArgumentList list = arguments_for(library, rule, path);
      const bool is_known = std::any_of(lists.begin(), lists.end(), [&](const ArgumentList& known) {
        return known.arguments == list.arguments;
      });
      if (!is_known) lists.push_back(std::move(list));
    }
  }
  return lists;
}

/// Looks at the requirements of one rule with one list of arguments.
class RequirementCheck {
 public:
  RequirementCheck(Elaboration& e, const RuleText& rule, const ArgumentList& list)
      : e_(e),
        rule_(rule),
        optimizer_(optimizer_of(e.library, rule)),
        list_(list),
        requirements_(requirements_of(optimizer_)) {}

  void run_fixed() {
    open_frame();
    for (std::size_t i = 0; i < list_.arguments.size(); ++i) bind(i, list_.arguments[i]->value);
    for (const ast::Statement* statement : requirements_) elaborate_require(e_, *statement);
    e_.frames.pop_back();
  }

  void run_scheduled(const RunLength& run) {
    run_ = run;
    if (!look_at(1)) return;
    for (const double step : steps()) {
      if (!look_at(step)) return;
    }
  }

 private:
  void open_frame() {
    Frame frame = frame_beside_models(e_, rule_.unit);
    frame.name = optimizer_.name.text;
    frame.call = list_.place;
    for (std::size_t i = 0; i < list_.arguments.size(); ++i) {
      const ArgumentText& argument = *list_.arguments[i];
      const SourceRange range = e_.library.unit(argument.unit).exprs[argument.expr].range;
      if (!argument.is_default) frame.given[optimizer_.formals[i].name.text] = range;
    }
    e_.frames.push_back(std::move(frame));
  }

  void bind(std::size_t formal, double value) {
    e_.frame().names[optimizer_.formals[formal].name.text] = number_value(value);
  }

  std::set<double> steps() const;
  bool look_at(double step);
  bool bind_all(double step);
  std::optional<double> argument_in(const ArgumentText& argument, double step);
  bool is_met(const ast::Statement& statement, double step);
  bool is_at_limit(const ast::Statement& statement);

  Elaboration& e_;
  const RuleText& rule_;
  const ast::Optimizer& optimizer_;
  const ArgumentList& list_;
  std::vector<const ast::Statement*> requirements_;
  RunLength run_;
  std::set<double> numbers_;  // that stand in the schedules
};

/// The steps to look at behind the first.
std::set<double> RequirementCheck::steps() const {
  std::set<double> steps;
  const double last = std::isinf(run_.last_step) ? 1 : run_.last_step;
  const double stride = std::max(1.0, (last - 1) / kMostSteps);
  for (double at = 1; at < last; at += stride) steps.insert(std::floor(at));
  const auto add_border = [&](double border) {
    for (const double behind : {0, 1, 2}) {
      const double near = std::floor(border) + behind;
      if (near >= 1 && near <= last) steps.insert(near);
    }
  };
  // A number may be a border in steps or in epochs.
  for (const double number : numbers_) {
    add_border(number);
    add_border(number * run_.epoch_steps);
  }
  steps.insert(last);
  return steps;
}

/// The argument in the frame where it stands: a default in the rule's own, which is open.
std::optional<double> RequirementCheck::argument_in(const ArgumentText& argument, double step) {
  if (!argument.is_scheduled) return argument.value;
  Moment moment{step, run_.epoch_steps, std::nullopt};
  if (rule_.last_step == LastStep::kKnown) moment.last_step = run_.last_step;
  if (!argument.is_default) e_.frames.push_back(frame_beside_models(e_, argument.unit));
  const auto value =
      argument_at(e_, argument.name.substr(argument.name.rfind('.') + 1), argument.expr, moment);
  if (!argument.is_default) e_.frames.pop_back();
  if (!value) return std::nullopt;
  numbers_.insert(value->numbers.begin(), value->numbers.end());
  return value->value;
}

/// Gives every formal its value in this step. False after an error, which says in which step.
bool RequirementCheck::bind_all(double step) {
  Diagnostics found;
  Diagnostics* const kept = std::exchange(e_.diagnostics, &found);
  // Each step is an elaboration of its own as far as the limit of calls goes.
  e_.calls = 0;
  for (std::size_t i = 0; i < list_.arguments.size() && !found.has_errors(); ++i) {
    const std::optional<double> value = argument_in(*list_.arguments[i], step);
    if (value) bind(i, *value);
  }
  e_.diagnostics = kept;
  if (!found.has_errors()) return true;
  e_.diagnostics->add(found.all().front()).note(fmt::format("in step {:.0f}", step));
  return false;
}

/// False where a requirement is not met, which is reported.
bool RequirementCheck::look_at(double step) {
  open_frame();
  bool is_good = bind_all(step);
  for (std::size_t i = 0; i < requirements_.size() && is_good; ++i) {
    is_good = is_met(*requirements_[i], step);
    if (!is_good) report_requirement(e_, *requirements_[i], fmt::format(" in step {:.0f}", step));
  }
  e_.frames.pop_back();
  return is_good;
}

bool RequirementCheck::is_met(const ast::Statement& statement, double step) {
  if (requirement_holds(e_, statement).value_or(true)) return true;
  return step == run_.last_step && step > 1 && is_at_limit(statement);
}

/// Whether both sides of `lr > 0` are equal.
bool RequirementCheck::is_at_limit(const ast::Statement& statement) {
  const ast::Expr& expr = e_.expr(statement.value);
  const bool is_strict = expr.kind == ast::ExprKind::kBinary && (expr.text == "<" || expr.text == ">");
  if (!is_strict) return false;
  const Value left = evaluate(e_, expr.args[0]);
  const Value right = evaluate(e_, expr.args[1]);
  return left.as<NumberValue>()->value == right.as<NumberValue>()->value;
}

}  // namespace

bool check_fixed_arguments(Elaboration& e, const RuleText& rule) {
  const std::size_t before = e.diagnostics->error_count();
  for (const ArgumentList& list : argument_lists(e.library, rule)) {
    if (!list.is_scheduled()) RequirementCheck(e, rule, list).run_fixed();
  }
  return e.diagnostics->error_count() == before;
}

bool has_scheduled_requirements(const Library& library, const RuleText& rule) {
  if (requirements_of(optimizer_of(library, rule)).empty()) return false;
  const std::vector<ArgumentList> lists = argument_lists(library, rule);
  return std::any_of(lists.begin(), lists.end(),
                     [](const ArgumentList& list) { return list.is_scheduled(); });
}

void check_scheduled_arguments(const RuleSetting& setting, const RuleText& rule, const RunLength& run) {
  Graph nobodys;
  Builder builder(nobodys);
  Elaboration e(setting.sources, setting.library, builder, setting.diagnostics, setting.dtype);
  e.measurable = rule.measurable;
  for (const ArgumentList& list : argument_lists(e.library, rule)) {
    if (list.is_scheduled()) RequirementCheck(e, rule, list).run_scheduled(run);
  }
}

}  // namespace dlg
