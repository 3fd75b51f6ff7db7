#include "frontend/elaborate/reductions.h"

#include <algorithm>
#include <numeric>

#include "frontend/elaborate/axis_names.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/row_axis.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "support/check.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNoLastAxis{DiagCode::BadAxis, Severity::kError,
                                        "found {} without an axis, expected logits along one"};
constexpr Diag<std::size_t> kOneAxis{DiagCode::BadAxis, Severity::kError,
                                     "found {} axes for `midrank`, expected one"};
constexpr Diag<std::string> kNotAList{DiagCode::NotAValue, Severity::kError,
                                      "found {}, expected a list of parameters"};

/// Positions in the graph's shape, ascending, with the axes that stay.
struct Reduced {
  std::vector<std::int64_t> positions;
  Axes kept;
  std::vector<std::size_t> named;  // positions in the value, in the order of the text
};

std::optional<Reduced> reduced_axes(Elaboration& e, const TensorValue& tensor, const Call& call) {
  Reduced reduced;
  const CallArgument* over = named_argument(call, "over");
  if (over) {
    const auto named = named_positions(e, tensor, *over, call.arguments.front().operand);
    if (!named) return std::nullopt;
    reduced.named = *named;
  } else {
    reduced.named.resize(tensor.axes.size());
    std::iota(reduced.named.begin(), reduced.named.end(), 0U);
  }
  for (std::size_t i = 0; i < tensor.axes.size(); ++i) {
    const bool is_kept = std::find(reduced.named.begin(), reduced.named.end(), i) == reduced.named.end();
    if (is_kept) reduced.kept.push_back(tensor.axes[i]);
  }
  reduced.positions = graph_positions(tensor, reduced.named);
  std::sort(reduced.positions.begin(), reduced.positions.end());
  return reduced;
}

/// What a node of `op` says that works on these axes.
Attributes axes_attributes(const OpDef& op, const std::vector<std::int64_t>& axes) {
  if (!std::holds_alternative<AlongAxis>(op.attributes())) return OverAxes{axes};
  DLG_CHECK(axes.size() == 1, "several axes for an op along one");
  return AlongAxis{axes.front()};
}

Value reduce_axes(Elaboration& e, const OpDef& op, const TensorValue& tensor, const Reduced& reduced,
                  SourceRange range) {
  TensorValue result{tensor.id, reduced.kept, tensor.batching, tensor.dtype};
  if (reduced.positions.empty()) return {result};
  const Attributes axes = axes_attributes(op, reduced.positions);
  const std::optional<Expr> node = checked_node(e, op, {tensor}, axes, range);
  if (!node) return {Poison{}};
  result.id = node->value;
  result.dtype = node->type().dtype;
  return {result};
}

Value reduce_tensor(Elaboration& e, const OpDef& op, const TensorValue& tensor, const Call& call) {
  const std::optional<Reduced> reduced = reduced_axes(e, tensor, call);
  return reduced ? reduce_axes(e, op, tensor, *reduced, call.range) : Value{Poison{}};
}

/// The axes that are reduced as one, the last, in row-major order of their names in the text.
TensorValue merged(Elaboration& e, const TensorValue& tensor, Reduced& reduced) {
  const std::int64_t batch = tensor.batching == Batching::kPerSample ? 1 : 0;
  std::vector<std::int64_t> order(static_cast<std::size_t>(batch), 0);
  Axes gone;
  for (std::size_t i = 0; i < tensor.axes.size(); ++i) {
    const bool is_kept = std::find(reduced.named.begin(), reduced.named.end(), i) == reduced.named.end();
    if (is_kept) order.push_back(static_cast<std::int64_t>(i) + batch);
  }
  for (const std::size_t i : reduced.named) {
    order.push_back(static_cast<std::int64_t>(i) + batch);
    gone.push_back(tensor.axes[i]);
  }
  Axes axes = reduced.kept;
  axes.push_back({"", element_count(gone).value_or(1), 0});
  Expr node = expr_of(e, tensor);
  if (!std::is_sorted(order.begin(), order.end())) node = transpose(node, std::move(order));
  reduced.positions = last_positions(axes, tensor.batching, 1);
  return {reshape(node, graph_shape(axes, tensor.batching)).value, axes, tensor.batching, tensor.dtype};
}

/// In an update rule a reduction is per parameter.
std::optional<Value> reduce_lists(Elaboration& e, const Builtin& builtin, const Call& call) {
  const ListValue* list = mapped_list(call.arguments[0].operand);
  if (!list || list->kind != ListKind::kLockstep) return std::nullopt;
  return map_lists(e, {call.arguments[0].operand}, call.range, [&](const std::vector<Operand>& items) {
    Call one = call;
    one.arguments[0].operand = items[0];
    return builtin.call(e, builtin, one);
  });
}

Value reduce_or_pair(Elaboration& e, const Builtin& builtin, const Call& call, Expr (*pair)(Expr, Expr)) {
  if (named_argument(call, "over") || call.arguments.size() < 2) return reduce_call(e, builtin, call);
  const std::vector<Operand> operands{call.arguments[0].operand, call.arguments[1].operand};
  if (has_mapped_list(operands)) {
    return map_lists(e, operands, call.range, [&](const std::vector<Operand>& items) {
      Call one = call;
      for (std::size_t i = 0; i < 2; ++i) one.arguments[i].operand = items[i];
      return reduce_or_pair(e, builtin, one, pair);
    });
  }
  const auto tensors = aligned(e, operands, std::string(builtin.name), call.range);
  if (!tensors) return {Poison{}};
  return {with_node((*tensors)[0], pair(expr_of(e, (*tensors)[0]), expr_of(e, (*tensors)[1])))};
}

/// `max(2, 3)` of numbers known at compile time.
std::optional<Value> fold_pair(const Call& call, double (*pair)(double, double)) {
  if (call.arguments.size() != 2) return std::nullopt;
  const NumberValue* a = call.arguments[0].operand.value.as<NumberValue>();
  const NumberValue* b = call.arguments[1].operand.value.as<NumberValue>();
  if (!a || !b || named_argument(call, "over")) return std::nullopt;
  return Value{NumberValue{pair(a->value, b->value), std::nullopt, a->is_rounded || b->is_rounded}};
}

Value sum_of_list(Elaboration& e, const ListValue& list, const Call& call) {
  Value total = number_value(0);
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (list.items[i].as<NumberValue>()) {
      total = binary(e, "+", {total, call.range}, {list.items[i], call.range}, call.range);
      continue;
    }
    const std::optional<TensorValue> tensor = tensor_of(e, {list.items[i], call.range});
    if (!tensor) return {Poison{}};
    const Value part = reduce_tensor(e, ops::sum, *tensor, {call.range, call.callee, {}});
    total = i == 0 ? part : binary(e, "+", {total, call.range}, {part, call.range}, call.range);
  }
  return total;
}

/// The largest element of all items; NaN wins, as in `max`.
Value largest_of_list(Elaboration& e, const ListValue& list, const Call& call) {
  if (list.items.empty()) return number_value(0);
  std::optional<TensorValue> largest;
  for (const Value& item : list.items) {
    const std::optional<TensorValue> tensor = tensor_of(e, {item, call.range});
    if (!tensor) return {Poison{}};
    const Value own = reduce_tensor(e, ops::reduce_max, *tensor, {call.range, call.callee, {}});
    const TensorValue* value = own.as<TensorValue>();
    if (!value) return {Poison{}};
    largest = largest ? with_node(*value, max(expr_of(e, *largest), expr_of(e, *value))) : *value;
  }
  return {*largest};
}

}  // namespace

Value reduce_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const Operand& operand = call.arguments[0].operand;
  if (operand.value.as<NumberValue>()) return operand.value;
  if (std::optional<Value> mapped = reduce_lists(e, builtin, call)) return *std::move(mapped);
  const ListValue* list = operand.value.as<ListValue>();
  if (list && list->kind == ListKind::kParameters && builtin.op == &ops::sum) {
    return sum_of_list(e, *list, call);
  }
  const std::optional<TensorValue> tensor = tensor_of(e, operand);
  return tensor ? reduce_tensor(e, *builtin.op, *tensor, call) : Value{Poison{}};
}

Value mean_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  Value value = reduce_call(e, builtin, call);
  const TensorValue* from = call.arguments[0].operand.value.as<TensorValue>();
  TensorValue* result = std::get_if<TensorValue>(&value.data);
  if (from && result) result->is_fraction = from->is_fraction;
  return value;
}

Value max_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const auto larger = [](double a, double b) { return a > b ? a : b; };
  if (std::optional<Value> folded = fold_pair(call, larger)) return *std::move(folded);
  return reduce_or_pair(e, builtin, call, max);
}

Value min_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const auto smaller = [](double a, double b) { return a < b ? a : b; };
  if (std::optional<Value> folded = fold_pair(call, smaller)) return *std::move(folded);
  return reduce_or_pair(e, builtin, call, min);
}

Value argmax_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  if (std::optional<Value> mapped = reduce_lists(e, builtin, call)) return *std::move(mapped);
  std::optional<TensorValue> tensor = tensor_of(e, call.arguments[0].operand);
  std::optional<Reduced> reduced = tensor ? reduced_axes(e, *tensor, call) : std::nullopt;
  if (!reduced) return {Poison{}};
  if (reduced->positions.size() != 1) {
    if (!check_sizes_known(e, tensor->axes, "`argmax` of several axes", call.range)) return {Poison{}};
    tensor = merged(e, *tensor, *reduced);
  }
  return reduce_axes(e, *builtin.op, *tensor, *reduced, call.range);
}

Value midrank_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const std::optional<TensorValue> tensor = tensor_of(e, call.arguments[0].operand);
  const auto axes = tensor ? over_or_last(e, *tensor, call) : std::nullopt;
  if (!axes) return {Poison{}};
  if (axes->size() != 1) {
    e.error(call.range, kOneAxis, axes->size());
    return {Poison{}};
  }
  const AlongAxis along{graph_positions(*tensor, *axes).front()};
  const std::optional<Expr> node = checked_node(e, *builtin.op, {*tensor}, along, call.range);
  return node ? Value{with_node(*tensor, *node)} : Value{Poison{}};
}

Value logits_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const Operand& operand = call.arguments[0].operand;
  const std::optional<TensorValue> tensor = tensor_of(e, operand);
  if (!tensor) return {Poison{}};
  if (tensor->axes.empty()) {
    Report report = e.error(operand.range, kNoLastAxis, kind_text(operand.value));
    e.label_origin(report, operand);
    return {Poison{}};
  }
  std::vector<std::int64_t> positions = last_positions(tensor->axes, tensor->batching, 1);
  if (named_argument(call, "over")) {
    const std::optional<Reduced> chosen = reduced_axes(e, *tensor, call);
    if (!chosen) return {Poison{}};
    positions = chosen->positions;
  }
  const std::optional<Expr> node = checked_node(e, *builtin.op, {*tensor}, OverAxes{positions}, call.range);
  if (!node) return {Poison{}};
  TensorValue result = *tensor;
  result.id = node->value;
  result.is_fraction = false;
  return {result};
}

TensorValue batch_mean(Elaboration& e, const TensorValue& tensor) {
  if (tensor.batching == Batching::kShared) return tensor;
  TensorValue result = tensor;
  result.id = mean(expr_of(e, tensor), {0}).value;
  result.batching = Batching::kShared;
  return result;
}

Value batch_mean_call(Elaboration& e, const Builtin&, const Call& call) {
  const std::optional<TensorValue> tensor = tensor_of(e, call.arguments[0].operand);
  if (!tensor) return {Poison{}};
  std::optional<Reduced> reduced = Reduced{{}, tensor->axes, {}};
  if (named_argument(call, "over")) reduced = reduced_axes(e, *tensor, call);
  if (!reduced) return {Poison{}};
  // One reduction: its sums go over the rows last.
  if (tensor->batching == Batching::kPerSample) reduced->positions.insert(reduced->positions.begin(), 0);
  Value result = reduce_axes(e, ops::mean, *tensor, *reduced, call.range);
  if (TensorValue* mean = std::get_if<TensorValue>(&result.data)) mean->batching = Batching::kShared;
  return result;
}

Value batch_rows_call(Elaboration& e, const Builtin&, const Call&) {
  return {TensorValue{batch_rows(e.builder, e.dtype).value, {}, Batching::kShared, e.dtype}};
}

/// `total(x)` or `largest(x)`.
Value over_all(Elaboration& e, const Call& call,
               Value (*combine)(Elaboration&, const ListValue&, const Call&)) {
  const Operand& operand = call.arguments[0].operand;
  const ListValue* list = mapped_list(operand);
  if (list) return combine(e, *list, call);
  e.error(operand.range, kNotAList, kind_text(operand.value));
  return {Poison{}};
}

Value total_call(Elaboration& e, const Builtin&, const Call& call) {
  return over_all(e, call, sum_of_list);
}

Value largest_call(Elaboration& e, const Builtin&, const Call& call) {
  return over_all(e, call, largest_of_list);
}

}  // namespace dlg
