#include "frontend/rules/rule_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/expressions.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kNotScalar{DiagCode::NotANumber, Severity::kError,
                                                    "found {} as `{}`, expected one number a step"};

TensorValue scalar_of(ValueId id) {
  return {id, {}, Batching::kShared, DType::kF64};
}

bool names(const RuleGroup& group, const std::string& path) {
  return std::find(group.paths.begin(), group.paths.end(), path) != group.paths.end();
}

/// The group's own argument of this name; null if it has none.
const ArgumentText* own_argument(const RuleGroup& group, const std::string& key) {
  const auto found = std::find_if(group.arguments.begin(), group.arguments.end(),
                                  [&](const auto& argument) { return argument.first == key; });
  return found == group.arguments.end() ? nullptr : &found->second;
}

}  // namespace

TensorValue RuleInputs::hyper(const std::string& name, double value, SourceRange range) {
  const auto is_same = [&](const Hyper& hyper) { return hyper.name == name; };
  if (std::none_of(hypers_.begin(), hypers_.end(), is_same)) {
    hypers_.push_back({name, value, e_.user_place(range)});
  }
  return scalar_of(scope_.hyper(name));
}

Value RuleInputs::input(const std::string& name, double value, SourceRange range) {
  std::string unused = name;
  const auto is_taken = [&](const Hyper& hyper) { return hyper.name == unused; };
  for (int i = 1; std::any_of(hypers_.begin(), hypers_.end(), is_taken); ++i) {
    unused = fmt::format("{}_{}", name, i);
  }
  return {hyper(unused, value, range)};
}

/// Epochs finished before this update: the whole part of (step - 1) / steps of an epoch.
TensorValue RuleInputs::epoch() {
  const Expr steps = {&e_.builder, hyper(kEpochStepsHyper, 1, {}).id};
  const Expr before = Expr{&e_.builder, scope_.step()} - 1.0;
  return scalar_of(cast(cast(before / steps, DType::kI64), DType::kF64).value);
}

std::optional<Value> RuleInputs::moment(const std::string& name) {
  if (name == "step") return Value{scalar_of(scope_.step())};
  if (name == "epoch") return Value{epoch()};
  if (name == "epoch_steps") return Value{hyper(kEpochStepsHyper, 1, {})};
  if (name == "last_step" && rule_.last_step == LastStep::kKnown) return Value{hyper(kLastStepHyper, 1, {})};
  return std::nullopt;
}

Value RuleInputs::evaluated(const std::string& name, const std::function<Value()>& evaluate) {
  e_.rate_schedule = RateSchedule{[this](const std::string& word) { return moment(word); },
                                  [&](const NumberValue& number) { return input(name, number.value, {}); },
                                  e_.frames.size(), false, false};
  Value value = evaluate();
  e_.rate_schedule.reset();
  return value;
}

Value RuleInputs::scalar(const ArgumentText& argument) {
  const SourceRange range = e_.library.unit(argument.unit).exprs[argument.expr].range;
  if (!argument.is_scheduled) return input(argument.name, argument.value, range);
  if (!argument.is_default) e_.frames.push_back(frame_beside_models(e_, argument.unit));
  const DType dtype = std::exchange(e_.dtype, DType::kF64);
  const Operand operand{evaluated(argument.name, [&] { return evaluate(e_, argument.expr); }), range};
  e_.dtype = dtype;
  if (!argument.is_default) e_.frames.pop_back();
  const TensorValue* tensor = operand.value.as<TensorValue>();
  const bool is_scalar = tensor && tensor->axes.empty() && tensor->dtype == DType::kF64;
  if (is_scalar || operand.value.is_poison()) return operand.value;
  e_.error(range, kNotScalar, kind_text(operand.value), argument.name);
  return {Poison{}};
}

Value RuleInputs::value(const std::string& key, const ArgumentText& argument) {
  const Value common = scalar(argument);
  std::vector<Value> items(scope_.parameter_count(), common);
  bool is_grouped = false;
  for (const RuleGroup& group : rule_.groups) {
    const ArgumentText* own = own_argument(group, key);
    if (!own) continue;
    const Value value = scalar(*own);
    is_grouped = true;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (names(group, scope_.path(i))) items[i] = value;
    }
  }
  if (!is_grouped) return common;
  return {ListValue{ListKind::kLockstep, std::move(items)}};
}

}  // namespace dlg
