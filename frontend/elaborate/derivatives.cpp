// Owns `grad`, `hessian`, `solve` and `params`: what a derivative may be asked of.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/builtin_calls.h"
#include "frontend/elaborate/diagonal.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/functions.h"
#include "frontend/elaborate/shapes.h"
#include "frontend/elaborate/tensors.h"
#include "ir/graph/update_rule.h"
#include "ir/ops/registry.h"

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
constexpr Diag<std::string> kIndependent{DiagCode::NoDependence, Severity::kError,
                                         "the expression does not depend on `{}`"};
constexpr Diag<std::int64_t> kManyVariables{DiagCode::TooManyVariables, Severity::kError,
                                            "second derivatives by {} numbers, expected 1 to 64"};
constexpr Diag<> kNoHessian{DiagCode::ExpressionOutOfPlace, Severity::kError,
                            "`hessian(point)` belongs into an optimizer"};
constexpr Diag<std::string, std::string> kSystem{
    DiagCode::ShapeMismatch, Severity::kError,
    "found {} and {}, expected a square matrix and a vector of its size"};
constexpr std::int64_t kMostVariables = 64;
constexpr Diag<std::string> kNoPoint{DiagCode::NotAValue, Severity::kError,
                                     "found {}, expected a point: `theta` or an expression of it"};

/// One value per parameter, of its type.
std::optional<std::vector<ValueId>> point_of(Elaboration& e, const Operand& operand) {
  const ListValue* points = mapped_list(operand);
  if (!points) {
    e.error(operand.range, kNoPoint, kind_text(operand.value));
    return std::nullopt;
  }
  if (points->items.size() != e.rule->builder.parameter_count()) {
    e.error(operand.range, kNoPoint, kind_text(operand.value));
    return std::nullopt;
  }
  std::vector<ValueId> ids;
  for (std::size_t i = 0; i < points->items.size(); ++i) {
    const TensorValue* tensor = points->items[i].as<TensorValue>();
    if (!tensor || e.builder.type(tensor->id) != e.builder.type(e.rule->builder.theta(i))) {
      e.error(operand.range, kNoPoint, kind_text(points->items[i]));
      return std::nullopt;
    }
    ids.push_back(tensor->id);
  }
  return ids;
}

/// One value per parameter: these nodes, otherwise as the items of `like`.
Value lockstep_of(const ListValue& like, const std::vector<ValueId>& nodes) {
  ListValue result{ListKind::kLockstep, {}};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    TensorValue tensor = *like.items[i].as<TensorValue>();
    tensor.id = nodes[i];
    result.items.push_back({tensor});
  }
  return {std::move(result)};
}

/// In a rule `grad(point)` is the full gradient with every parameter at its point, `grad(e, point)` the
/// derivative of a scalar of the rule.
Value rule_gradient(Elaboration& e, const Call& call) {
  const Operand& by = call.arguments.back().operand;
  const std::optional<std::vector<ValueId>> point = point_of(e, by);
  if (!point) return {Poison{}};
  if (call.arguments.size() == 1) {
    return e.rule->treat_gradient(lockstep_of(*mapped_list(by), e.rule->builder.gradient(*point)), by.value);
  }
  const Operand& of = call.arguments.front().operand;
  const TensorValue* value = of.value.as<TensorValue>();
  if (value && value->axes.empty())
    return lockstep_of(*mapped_list(by), e.rule->builder.derivatives(value->id, *point));
  e.error(of.range, kNotScalar, value ? axes_text(value->axes) : kind_text(of.value));
  return {Poison{}};
}

/// How many numbers the rule works on.
std::int64_t variable_count(Elaboration& e) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < e.rule->builder.parameter_count(); ++i) {
    count += e.builder.type(e.rule->builder.theta(i)).shape.elements();
  }
  return count;
}

bool depends_on(const Graph& graph, ValueId value, ValueId on) {
  return on.index <= value.index && ancestors_of(graph, value)[on] != 0;
}

/// Whether `value` is computed from nothing that can change, as `x^0` is.
bool is_constant(const Graph& graph, ValueId value) {
  const IdVector<ValueId, char> needed = ancestors_of(graph, value);
  const auto ids = graph.nodes.ids();
  return std::none_of(ids.begin(), ids.end(), [&](ValueId id) {
    return needed[id] != 0 && graph[id].operands.empty() && graph[id].op != &ops::constant;
  });
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
  const Graph& graph = e.builder.graph();
  if (!depends_on(graph, value.id, variable->id) && !is_constant(graph, value.id)) {
    Report report = e.error(by.range, kIndependent, std::string(e.sources.text(by.range)));
    e.label(report, of.range, "the expression");
    report.note("a value computed again is another value: derive by the one that stands in the expression");
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

/// `value` as a node of its own, which nothing else of the graph is: seven axes of size 1, and back.
TensorValue apart(Elaboration& e, const TensorValue& value) {
  Axes wide = value.axes;
  wide.insert(wide.begin(), 7, Axis{});
  TensorValue own = with_axes(e, with_axes(e, value, wide), value.axes);
  own.is_fraction = false;
  return own;
}

/// The derivative of a function of one argument at a point.
Value derivative_at(Elaboration& e, const Call& call) {
  const CallArgument& function = call.arguments.front();
  const Operand& at = call.arguments.back().operand;
  const std::optional<TensorValue> given = tensor_of(e, at);
  if (!given) return {Poison{}};
  if (!is_float(given->dtype)) {
    e.error(at.range, kNoVariable, kind_text(at.value));
    return {Poison{}};
  }
  const Operand point{{apart(e, *given)}, at.range};
  Call applied{call.range, function.operand.range, {{std::nullopt, point, call.arguments.back().expr}}};
  const Value result = evaluate_call(e, function.expr, applied);
  if (result.is_poison()) return {Poison{}};
  const std::optional<TensorValue> value = tensor_of(e, {result, call.range});
  if (!value) return {Poison{}};
  if (value->axes.empty() && is_float(value->dtype)) {
    return derivative(e, {result, function.operand.range}, *value, point);
  }
  e.error(function.operand.range, kNotScalar, axes_text(value->axes));
  return {Poison{}};
}

/// x with (a + shift I) x = b.
std::optional<TensorValue> solution(Elaboration& e, TensorValue a, TensorValue b, const Operand* shift,
                                    SourceRange range) {
  const bool is_square = a.axes.size() == 2 && b.axes.size() == 1 && a.axes[0].size == a.axes[1].size &&
                         unify(a.axes[0], b.axes[0]) && a.dtype == b.dtype && is_float(a.dtype);
  if (!is_square) {
    e.error(range, kSystem, axes_text(a.axes), axes_text(b.axes));
    return std::nullopt;
  }
  const std::int64_t size = a.axes[0].size;
  if (size > kMostVariables) {
    e.error(range, kManyVariables, size);
    return std::nullopt;
  }
  const Batching batching = either(a.batching, b.batching);
  a = stretch(e, a, a.axes, batching);
  b = stretch(e, b, b.axes, batching);
  Expr matrix = expr_of(e, a);
  if (shift != nullptr) {
    const std::optional<TensorValue> number = tensor_of(e, *shift);
    if (!number) return std::nullopt;
    if (!number->axes.empty() || number->batching == Batching::kPerSample) {
      e.error(shift->range, kNotScalar, axes_text(number->axes));
      return std::nullopt;
    }
    const Expr repeated = broadcast_to(cast(expr_of(e, *number), a.dtype), Shape{size, size});
    const Expr diagonal = on_diagonal(repeated);
    matrix = matrix + broadcast_to(diagonal, matrix.shape());
  }
  TensorValue result = b;
  result.axes = {a.axes[1]};
  result.id = solve(matrix, expr_of(e, b)).value;
  return result;
}

/// In a rule: the right side over all parameters one after the other, and the solution back in their shapes.
Value rule_solution(Elaboration& e, const TensorValue& a, const ListValue& b, const Operand* shift,
                    SourceRange range) {
  std::vector<Expr> parts;
  for (const Value& item : b.items) parts.push_back(expr_of(e, *item.as<TensorValue>()));
  const Expr joined = flattened(parts);
  const TensorValue right{joined.value, plain_axes(joined.shape().dims()), Batching::kShared,
                          joined.type().dtype};
  const std::optional<TensorValue> found = solution(e, a, right, shift, range);
  if (!found) return {Poison{}};
  std::vector<ValueId> nodes;
  std::int64_t start = 0;
  for (const Expr& part : parts) {
    const std::int64_t size = part.shape().elements();
    nodes.push_back(reshape(slice(expr_of(e, *found), {start}, {size}), part.shape()).value);
    start += size;
  }
  return lockstep_of(b, nodes);
}

}  // namespace

Value hessian_call(Elaboration& e, const Builtin&, const Call& call) {
  const Operand& operand = call.arguments[0].operand;
  if (!e.rule) {
    e.error(call.range, kNoHessian).note("elsewhere derive twice: `grad(grad(f, w)[0], w)`");
    return {Poison{}};
  }
  const std::optional<std::vector<ValueId>> point = point_of(e, operand);
  if (!point) return {Poison{}};
  const std::int64_t count = variable_count(e);
  if (count < 1 || count > kMostVariables) {
    e.error(call.range, kManyVariables, count).note("rules of first order, as `adam`, have no such limit");
    return {Poison{}};
  }
  const ValueId id = e.rule->builder.hessian(*point);
  return e.rule->treat_hessian(
      {TensorValue{id, plain_axes({count, count}), Batching::kShared, e.builder.type(id).dtype}});
}

Value solve_call(Elaboration& e, const Builtin&, const Call& call) {
  const std::optional<TensorValue> a = tensor_of(e, call.arguments[0].operand);
  const Operand& right = call.arguments[1].operand;
  const Operand* shift = call.arguments.size() > 2 ? &call.arguments[2].operand : nullptr;
  if (!a) return {Poison{}};
  const ListValue* list = mapped_list(right);
  if (list && list->kind == ListKind::kLockstep) return rule_solution(e, *a, *list, shift, call.range);
  const std::optional<TensorValue> b = tensor_of(e, right, a->dtype);
  if (!b) return {Poison{}};
  const std::optional<TensorValue> found = solution(e, *a, *b, shift, call.range);
  return found ? Value{*found} : Value{Poison{}};
}

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
  if (e.rule) return rule_gradient(e, call);
  const Operand& first = call.arguments.front().operand;
  const bool is_at_point = call.arguments.size() == 2 && call.arguments.front().expr.is_valid() &&
                           first.value.as<FunctionValue>() && !instance_of(e, first.value);
  if (is_at_point) return derivative_at(e, call);
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
