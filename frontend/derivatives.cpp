// Owns `grad` and `params`: what a derivative may be asked of.
#include <fmt/format.h>

#include "frontend/builtin_calls.h"
#include "frontend/elementwise.h"
#include "frontend/tensors.h"
#include "ir/graph/update_rule.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotAModel{DiagCode::NotAValue, Severity::kError,
                                       "found {}, expected a model that is applied in this program"};
constexpr Diag<> kNoLoss{DiagCode::NoLoss, Severity::kError,
                         "`grad` of one value means the derivative of the loss, and there is none here"};
constexpr Diag<std::string> kNotScalar{DiagCode::ScalarExpected, Severity::kError,
                                       "found {} under `grad`, expected a scalar `[]`"};
constexpr Diag<std::string> kNoVariable{
    DiagCode::NotAValue, Severity::kError,
    "found {}, expected a parameter or a named value to differentiate by"};
constexpr Diag<> kPerSample{DiagCode::ScalarExpected, Severity::kError,
                            "the expression has one value per sample and the parameter is the same for all"};
constexpr Diag<std::string> kNoPoint{DiagCode::NotAValue, Severity::kError,
                                     "found {}, expected a point: `theta` or an expression of it"};

/// In a rule: the full gradient with every parameter at its point.
Value rule_gradient(Elaboration& e, const Call& call) {
  const Operand& operand = call.arguments[0].operand;
  const ListValue* points = mapped_list(operand);
  if (!points || call.arguments.size() != 1) {
    e.error(operand.range, kNoPoint, kind_text(operand.value));
    return {Poison{}};
  }
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < points->items.size(); ++i) {
    const TensorValue* tensor = points->items[i].as<TensorValue>();
    if (!tensor || e.builder.type(tensor->id) != e.builder.type(e.update->theta(i))) {
      e.error(operand.range, kNoPoint, kind_text(points->items[i]));
      return {Poison{}};
    }
    ids.push_back(tensor->id);
  }
  const std::vector<ValueId> gradients = e.update->gradient(ids);
  ListValue result{ListKind::kLockstep, {}};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    TensorValue tensor = *points->items[i].as<TensorValue>();
    tensor.id = gradients[i];
    result.items.push_back({tensor});
  }
  return e.treat_gradient({std::move(result)}, operand.value);
}

std::optional<TensorValue> differentiated(Elaboration& e, const Call& call) {
  if (call.arguments.size() == 2) return tensor_of(e, call.arguments[0].operand);
  if (e.loss && !e.frame().function) return tensor_of(e, {*e.loss, call.range});
  if (!e.loss || !e.loss->is_poison()) e.error(call.range, kNoLoss);
  return std::nullopt;
}

/// In a model the derivative of a sample's own value; outside, that of the batch mean.
Value derivative(Elaboration& e, const Operand& of, const TensorValue& value, const Operand& by) {
  const std::optional<TensorValue> variable = tensor_of(e, by);
  if (!variable) return {Poison{}};
  const bool is_variable = by.value.as<NumberValue>() == nullptr && by.value.as<ListValue>() == nullptr;
  if (!is_variable || !is_float(variable->dtype)) {
    e.error(by.range, kNoVariable, kind_text(by.value));
    return {Poison{}};
  }
  Expr root = expr_of(e, value);
  const bool is_in_model = e.frame().function && value.batching == Batching::kPerSample;
  if (is_in_model && variable->batching == Batching::kShared) {
    e.error(of.range, kPerSample).note("write `grad(batch_mean(e), p)`");
    return {Poison{}};
  }
  if (is_in_model) root = sum(root, {0});
  TensorValue result = *variable;
  result.id = gradient(root, expr_of(e, *variable)).value;
  return {result};
}

}  // namespace

Value params_call(Elaboration& e, const Builtin&, const Call& call) {
  const Operand& operand = call.arguments[0].operand;
  const std::optional<InstanceId> instance = instance_of(e, operand.value);
  if (!instance) {
    e.error(operand.range, kNotAModel, kind_text(operand.value));
    return {Poison{}};
  }
  const std::string prefix = e.instances[*instance].path + ".";
  ListValue list{ListKind::kParameters, {}};
  for (const State& state : e.builder.graph().states) {
    if (state.kind != StateKind::kParameter || state.path.compare(0, prefix.size(), prefix) != 0) continue;
    const Axes axes = plain_axes(state.type.shape.dims());
    list.items.push_back({state_tensor(e, state.path, axes, state.type.dtype)});
  }
  return {std::move(list)};
}

Value grad_call(Elaboration& e, const Builtin&, const Call& call) {
  if (e.update) return rule_gradient(e, call);
  const std::optional<TensorValue> value = differentiated(e, call);
  if (!value) return {Poison{}};
  const Operand of = call.arguments.front().operand;
  const Operand by = call.arguments.back().operand;
  if (!value->axes.empty() || !is_float(value->dtype)) {
    e.error(of.range, kNotScalar, axes_text(value->axes));
    return {Poison{}};
  }
  if (!mapped_list(by)) return derivative(e, of, *value, by);
  return map_lists(e, {by}, call.range,
                   [&](const std::vector<Operand>& items) { return derivative(e, of, *value, items[0]); });
}

}  // namespace dlg
