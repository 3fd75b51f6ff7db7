#include "frontend/rules/rule_surroundings.h"

#include "frontend/elaborate/diagonal.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/functions.h"
#include "frontend/elaborate/rule_arguments.h"
#include "frontend/elaborate/settings.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotClipped{
    DiagCode::BadSetting, Severity::kError,
    "the function of `clip` makes {} of the gradients, expected one value for each parameter"};

/// Whether the items have the types of the gradients.
bool fits(Elaboration& e, const Value& value, const Value& gradients) {
  const ListValue* list = value.as<ListValue>();
  const ListValue* wanted = gradients.as<ListValue>();
  if (!list || list->items.size() != wanted->items.size()) return false;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const TensorValue* item = list->items[i].as<TensorValue>();
    const TensorValue* gradient = wanted->items[i].as<TensorValue>();
    if (!item || e.builder.type(item->id) != e.builder.type(gradient->id)) return false;
  }
  return true;
}

std::vector<std::int64_t> all_axes(Expr x) {
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < x.shape().rank(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  return axes;
}

/// The sum of the squares of all numbers, each divided by `unit` first, if there is one.
Expr sum_of_squares(Elaboration& e, const std::vector<Expr>& values, std::optional<Expr> unit) {
  Expr total = constant(e.builder, 0, {DType::kF64, {}});
  for (const Expr& value : values) {
    const Expr wide = cast(value, DType::kF64);
    const Expr x = unit ? wide / broadcast_to(*unit, wide.shape()) : wide;
    total = total + (x.shape().rank() == 0 ? x * x : sum(x * x, all_axes(x)));
  }
  return total;
}

/// The norm of all numbers together, in f64. Squares of f32 never leave that range; where those of f64 do,
/// though the numbers do not, all are divided by the largest first.
Expr norm_of_all(Elaboration& e, const std::vector<Expr>& values) {
  const Expr squares = sum_of_squares(e, values, std::nullopt);
  if (values.front().type().dtype != DType::kF64) return sqrt(squares);
  const Expr zero = constant(e.builder, 0, {DType::kF64, {}});
  Expr largest = zero;
  for (const Expr& value : values) {
    const Expr size = abs(value);
    largest = max(largest, size.shape().rank() == 0 ? size : reduce_max(size, all_axes(size)));
  }
  const Expr scaled = largest * sqrt(sum_of_squares(e, values, largest));
  const Expr is_finite = compare("==", squares - squares, zero);
  const Expr is_large = compare(">", squares * 1e-18, zero);
  const Expr small = select(compare(">", largest, zero), scaled, sqrt(squares));
  return select(is_finite, select(is_large, sqrt(squares), small), scaled);
}

}  // namespace

Value RuleSurroundings::op(const char* op, const Value& a, const Value& b) {
  return binary(e_, op, {a, rule_.call}, {b, rule_.call}, rule_.call);
}

Value RuleSurroundings::call_clip(const Value& gradient) {
  const ast::Expr& expr = e_.expr(rule_.clip);
  const Operand piped{gradient, expr.range};
  const bool is_call = expr.kind == ast::ExprKind::kCall;
  Call call{expr.range, {}, {{std::nullopt, piped, {}}}};
  if (is_call) call = evaluate_arguments(e_, expr, piped);
  call.callee = expr.range;
  return evaluate_call(e_, is_call ? expr.args[0] : rule_.clip, call);
}

void RuleSurroundings::check_clip(const Value& theta) {
  if (!rule_.clip.is_valid()) return;
  e_.frames.push_back(frame_beside_models(e_, 0));
  Moment first;
  if (rule_.last_step == LastStep::kKnown) first.last_step = 1;
  e_.rate_schedule = rate_schedule_at(first, e_.frames.size());
  e_.rate_schedule->is_trial = true;
  call_clip(theta);
  e_.rate_schedule.reset();
  e_.frames.pop_back();
}

/// `clip = f(c)` is f(gradients, c), evaluated in the user's file.
Value RuleSurroundings::clipped(const Value& gradient) {
  e_.frames.push_back(frame_beside_models(e_, 0));
  const ast::Expr& expr = e_.expr(rule_.clip);
  const Value value = inputs_.evaluated("clip." + std::string(callee_of(e_, rule_.clip)),
                                        [&] { return call_clip(gradient); });
  e_.frames.pop_back();
  if (value.is_poison() || fits(e_, value, gradient)) return value;
  e_.error(expr.range, kNotClipped, kind_text(value));
  return {Poison{}};
}

Value RuleSurroundings::decay_rate() {
  if (!decay_rate_) decay_rate_ = inputs_.value("weight_decay", rule_.decay_rate);
  return *decay_rate_;
}

Value RuleSurroundings::gradient(Value gradient, const Value& points) {
  std::vector<ValueId> ids;
  for (const Value& point : points.as<ListValue>()->items) ids.push_back(point.as<TensorValue>()->id);
  const auto [place, is_new] = gradients_.try_emplace(ids);
  if (!is_new) return place->second;
  if (rule_.clip.is_valid()) gradient = clipped(gradient);
  if (rule_.decay == WeightDecay::kCoupled) gradient = op("+", gradient, op("*", decay_rate(), points));
  place->second = gradient;
  return gradient;
}

Value RuleSurroundings::hessian(Value matrix) {
  if (rule_.decay != WeightDecay::kCoupled) return matrix;
  ListValue zeros{ListKind::kLockstep, {}};
  for (std::size_t i = 0; i < scope_.parameter_count(); ++i) {
    const TensorType type = e_.builder.type(scope_.theta(i));
    zeros.items.push_back({TensorValue{constant(e_.builder, 0, type).value, plain_axes(type.shape.dims()),
                                       Batching::kShared, type.dtype}});
  }
  const Value rates = op("+", {std::move(zeros)}, decay_rate());
  std::vector<Expr> parts;
  for (const Value& item : rates.as<ListValue>()->items)
    parts.push_back(expr_of(e_, *item.as<TensorValue>()));
  TensorValue result = *matrix.as<TensorValue>();
  const Expr second = expr_of(e_, result);
  result.id = (second + on_diagonal(broadcast_to(flattened(parts), second.shape()))).value;
  return {result};
}

Value RuleSurroundings::weights(Value weights, const Value& theta, const Value& lr) {
  if (rule_.decay != WeightDecay::kDecoupled) return weights;
  return op("-", weights, op("*", op("*", lr, decay_rate()), theta));
}

TensorValue RuleSurroundings::average_before(std::size_t parameter) {
  const ValueId theta = scope_.theta(parameter);
  const TensorType type = e_.builder.type(theta);
  const Expr kept{&e_.builder, scope_.state(parameter, kAverageState, 0)};
  const Expr is_first =
      compare("==", {&e_.builder, scope_.step()}, constant(e_.builder, 1, {DType::kF64, {}}));
  const Expr chosen = select(broadcast_to(is_first, type.shape), {&e_.builder, theta}, kept);
  return {chosen.value, plain_axes(type.shape.dims()), Batching::kShared, type.dtype};
}

void RuleSurroundings::average(const Value& weights, const Value& theta) {
  if (!rule_.average || weights.is_poison()) return;
  const Value keep = inputs_.value("ema", *rule_.average);
  ListValue before{ListKind::kLockstep, {}};
  for (std::size_t i = 0; i < theta.as<ListValue>()->items.size(); ++i) {
    before.items.push_back({average_before(i)});
  }
  const Value share = op("-", number_value(1), keep);
  const Value after = op("+", op("*", keep, {std::move(before)}), op("*", share, weights));
  const ListValue* list = after.as<ListValue>();
  for (std::size_t i = 0; list && i < list->items.size(); ++i) {
    scope_.set_state(i, kAverageState, list->items[i].as<TensorValue>()->id);
  }
}

void RuleSurroundings::watch_gradient(const std::vector<ValueId>& theta) {
  if (!rule_.is_gradient_watched) return;
  std::vector<Expr> gradients;
  for (const ValueId id : scope_.gradient(theta)) gradients.push_back({&e_.builder, id});
  scope_.scalar_state(kGradientNormState, 0);
  scope_.set_scalar_state(kGradientNormState, norm_of_all(e_, gradients).value);
}

}  // namespace dlg
