#include "frontend/elaborate/joining.h"

#include <algorithm>

#include "frontend/elaborate/axis_names.h"
#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/row_axis.h"
#include "frontend/elaborate/shapes.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kNoParts{DiagCode::NotAValue, Severity::kError,
                                                  "found {}, expected a list of values as in `{}([a, b])`"};
constexpr Diag<> kScalarPart{DiagCode::BadAxis, Severity::kError,
                             "found a scalar among the parts, expected values with axes"};
constexpr Diag<std::string, std::string> kParts{DiagCode::ShapeMismatch, Severity::kError,
                                                "{} and {} differ in more than the axis that is joined"};
constexpr Diag<std::string, std::string> kPartTypes{DiagCode::ElementTypes, Severity::kError,
                                                    "element types {} and {} do not mix in `concat`"};
constexpr Diag<std::int64_t> kNegative{DiagCode::NotWhole, Severity::kError,
                                       "found {} zeros, expected a whole number from 0 on"};
constexpr Diag<> kNoZeros{DiagCode::MissingArgument, Severity::kError,
                          "`pad` needs the number of zeros: `before`, `after` or both"};

const ListValue* list_of(Elaboration& e, const Builtin& builtin, const Operand& operand) {
  const ListValue* list = operand.value.as<ListValue>();
  if (list && list->kind == ListKind::kPlain && !list->items.empty()) return list;
  Report report = e.error(operand.range, kNoParts, kind_text(operand.value), std::string(builtin.name));
  e.label_origin(report, operand);
  return nullptr;
}

/// Numbers and fields take the element type of the first part that has one.
std::optional<std::vector<TensorValue>> parts_of(Elaboration& e, const ListValue& list, SourceRange range) {
  std::optional<DType> dtype;
  for (const Value& item : list.items) {
    const TensorValue* tensor = item.as<TensorValue>();
    if (tensor && !dtype) dtype = tensor->dtype;
  }
  std::vector<TensorValue> parts;
  for (const Value& item : list.items) {
    const std::optional<TensorValue> part = tensor_of(e, {item, range}, dtype);
    if (!part) return std::nullopt;
    parts.push_back(*part);
  }
  return parts;
}

/// The axes of two parts put together; nullopt if others than the joined one differ.
std::optional<Axes> joined(const Axes& a, const Axes& b, std::size_t axis) {
  if (a.size() != b.size()) return std::nullopt;
  Axes rest_a = a;
  Axes rest_b = b;
  rest_a.erase(rest_a.begin() + static_cast<std::ptrdiff_t>(axis));
  rest_b.erase(rest_b.begin() + static_cast<std::ptrdiff_t>(axis));
  std::optional<Axes> rest = unify(rest_a, rest_b);
  if (!rest) return std::nullopt;
  rest->insert(rest->begin() + static_cast<std::ptrdiff_t>(axis), Axis{"", a[axis].size + b[axis].size, 0});
  return rest;
}

/// What `parts` are along `axis`, every part given the batch that any of them has.
std::optional<TensorValue> concatenated(Elaboration& e, std::vector<TensorValue> parts, std::size_t axis,
                                        SourceRange range) {
  TensorValue result = parts.front();
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const std::optional<Axes> axes = joined(result.axes, parts[i].axes, axis);
    if (!axes) {
      e.error(range, kParts, axes_text(parts.front().axes), axes_text(parts[i].axes));
      return std::nullopt;
    }
    if (parts[i].dtype != result.dtype) {
      e.error(range, kPartTypes, std::string(dtype_name(result.dtype)),
              std::string(dtype_name(parts[i].dtype)));
      return std::nullopt;
    }
    result.axes = *axes;
    result.batching = either(result.batching, parts[i].batching);
  }
  for (TensorValue& part : parts) part = stretch(e, part, part.axes, result.batching);
  if (parts.size() == 1) return parts.front();
  const AlongAxis along{graph_positions(result, {axis}).front()};
  const std::optional<Expr> node = checked_node(e, ops::concat, parts, along, range);
  if (!node) return std::nullopt;
  result.id = node->value;
  result.is_fraction = false;
  return result;
}

Axes chosen(const TensorValue& tensor, const std::vector<std::size_t>& positions) {
  Axes axes;
  for (const std::size_t position : positions) axes.push_back(tensor.axes[position]);
  return axes;
}

/// A number of zeros; 0 where it is not given.
std::optional<std::int64_t> zeros(Elaboration& e, const CallArgument* argument) {
  if (!argument) return 0;
  const std::optional<std::int64_t> count = whole_number(e, argument->operand, "the number of zeros");
  if (!count || *count >= 0) return count;
  e.error(argument->operand.range, kNegative, *count);
  return std::nullopt;
}

}  // namespace

std::optional<TensorValue> stacked(Elaboration& e, const ListValue& list, SourceRange range) {
  std::vector<Operand> items;
  for (const Value& item : list.items) items.push_back({item, range});
  std::optional<std::vector<TensorValue>> parts = aligned(e, items, "stack", range);
  if (!parts) return std::nullopt;
  for (TensorValue& part : *parts) {
    Axes axes = part.axes;
    axes.insert(axes.begin(), Axis{"", 1, 0});
    part = with_axes(e, part, std::move(axes));
  }
  return concatenated(e, *std::move(parts), 0, range);
}

Value stack_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const ListValue* list = list_of(e, builtin, call.arguments[0].operand);
  const std::optional<TensorValue> result =
      list ? stacked(e, *list, call.arguments[0].operand.range) : std::nullopt;
  return result ? Value{*result} : Value{Poison{}};
}

Value concat_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const Operand& operand = call.arguments[0].operand;
  const ListValue* list = list_of(e, builtin, operand);
  if (!list) return {Poison{}};
  std::optional<std::vector<TensorValue>> parts = parts_of(e, *list, operand.range);
  if (!parts) return {Poison{}};
  const bool has_scalar =
      std::any_of(parts->begin(), parts->end(), [](const TensorValue& part) { return part.axes.empty(); });
  if (has_scalar) {
    e.error(operand.range, kScalarPart).note("`stack([a, b])` makes a vector of scalars");
    return {Poison{}};
  }
  std::size_t axis = parts->front().axes.size() - 1;
  if (const CallArgument* over = named_argument(call, "over")) {
    const auto positions = named_positions(e, parts->front(), *over, operand);
    if (!positions) return {Poison{}};
    axis = positions->front();
  }
  if (!check_sizes_known(e, chosen(parts->front(), {axis}), "`concat`", call.range)) return {Poison{}};
  const std::optional<TensorValue> result = concatenated(e, *std::move(parts), axis, call.range);
  return result ? Value{*result} : Value{Poison{}};
}

Value flip_call(Elaboration& e, const Builtin&, const Call& call) {
  const std::optional<TensorValue> tensor = tensor_of(e, call.arguments[0].operand);
  const auto axes = tensor ? over_or_last(e, *tensor, call) : std::nullopt;
  if (!axes || !check_sizes_known(e, chosen(*tensor, *axes), "`flip`", call.range)) return {Poison{}};
  TensorValue result = *tensor;
  result.id = flip(expr_of(e, *tensor), graph_positions(*tensor, *axes)).value;
  return {result};
}

Value pad_call(Elaboration& e, const Builtin&, const Call& call) {
  const CallArgument* written[] = {named_argument(call, "before"), named_argument(call, "after")};
  if (!written[0] && !written[1]) {
    e.error(call.range, kNoZeros);
    return {Poison{}};
  }
  const std::optional<TensorValue> tensor = tensor_of(e, call.arguments[0].operand);
  const std::optional<std::int64_t> before = zeros(e, written[0]);
  const std::optional<std::int64_t> after = zeros(e, written[1]);
  const auto axes = tensor && before && after ? over_or_last(e, *tensor, call) : std::nullopt;
  if (!axes || !check_sizes_known(e, chosen(*tensor, *axes), "`pad`", call.range)) return {Poison{}};
  TensorValue result = *tensor;
  std::vector<std::int64_t> starts(graph_shape(tensor->axes, tensor->batching).rank(), 0);
  for (const std::size_t axis : *axes) {
    result.axes[axis] = {"", tensor->axes[axis].size + *before + *after, 0};
    starts[static_cast<std::size_t>(graph_positions(*tensor, {axis}).front())] = *before;
  }
  if (*before + *after == 0) return {*tensor};
  result.id = pad(expr_of(e, *tensor), std::move(starts), graph_shape(result.axes, result.batching)).value;
  return {result};
}

}  // namespace dlg
