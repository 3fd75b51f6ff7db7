#include "frontend/elaborate/builtin_calls.h"

#include <fmt/format.h>

#include <numeric>

#include "frontend/elaborate/axis_names.h"
#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/parameters.h"
#include "frontend/elaborate/row_axis.h"
#include "frontend/elaborate/shapes.h"
#include "ir/ops/ranges.h"
#include "ir/ops/registry.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kCondition{DiagCode::ElementTypes, Severity::kError,
                                       "found {}, expected a condition as in `x <= 0`"};
constexpr Diag<std::string, std::string> kWhereShapes{DiagCode::ShapeMismatch, Severity::kError,
                                                      "the condition is {}, the values are {}"};
constexpr Diag<std::string> kFewAxes{DiagCode::BadAxis, Severity::kError,
                                     "found {}, expected at least two axes"};
constexpr Diag<std::string, std::string> kOrder{DiagCode::BadAxis, Severity::kError,
                                                "found {} after `to`, expected each axis of {} once"};
constexpr Diag<std::string, std::int64_t> kParts{DiagCode::ElementCount, Severity::kError,
                                                 "the last axis of {} has no {} equal parts"};
constexpr Diag<> kTable{DiagCode::BadAxis, Severity::kError,
                        "the table of `gather` is the same for all samples and has at least one axis"};
constexpr Diag<std::string> kIndexType{DiagCode::ElementTypes, Severity::kError,
                                       "found elements of type {}, expected i32 as index"};
constexpr Diag<std::string> kNoNumber{DiagCode::ElementTypes, Severity::kError,
                                      "found conditions, {}, expected integers"};
constexpr Diag<std::int64_t, std::int64_t> kConstantIndex{DiagCode::IndexOutOfRange, Severity::kError,
                                                          "index {} is outside of an axis of {}"};
constexpr Diag<std::string, std::int64_t> kIndexRange{
    DiagCode::IndexOutOfRange, Severity::kError, "the index may be {}, which is not inside of an axis of {}"};
constexpr Diag<std::string, std::string> kBounds{DiagCode::BadInitialValue, Severity::kError,
                                                 "found {} and {}, expected a lower and a higher bound"};
constexpr Diag<std::string> kCut{DiagCode::BadInitialValue, Severity::kError,
                                 "found {} standard deviations to cut at, expected 0.1 or more"};
constexpr Diag<std::string> kSpread{DiagCode::BadInitialValue, Severity::kError,
                                    "found {}, expected a standard deviation above 0"};
constexpr Diag<std::string> kGain{DiagCode::BadInitialValue, Severity::kError,
                                  "found a gain of {}, expected one above 0"};
constexpr Diag<std::string, std::string> kMisplaced{DiagCode::ExpressionOutOfPlace, Severity::kError,
                                                    "`{}` stands where it means nothing: {}"};

/// "0 to 4"; "10 or more" where the other end is open.
std::string range_text(Interval range) {
  if (range.is_finite()) return fmt::format("{} to {}", range.low, range.high);
  return range.low > 0 ? fmt::format("{} or more", range.low) : fmt::format("{} or less", range.high);
}

std::optional<TensorValue> condition_of(Elaboration& e, const Operand& operand) {
  const TensorValue* tensor = operand.value.as<TensorValue>();
  if (tensor && tensor->dtype == DType::kBool) return *tensor;
  e.error(operand.range, kCondition, kind_text(operand.value));
  return std::nullopt;
}

std::vector<Operand> operands_of(const Call& call) {
  std::vector<Operand> operands;
  for (const CallArgument& argument : call.arguments) operands.push_back(argument.operand);
  return operands;
}

/// The builtin for each item, where an argument is a list that everything applies to.
std::optional<Value> mapped(Elaboration& e, const Builtin& builtin, const Call& call) {
  const std::vector<Operand> operands = operands_of(call);
  if (!has_mapped_list(operands)) return std::nullopt;
  return map_lists(e, operands, call.range, [&](const std::vector<Operand>& items) {
    Call one = call;
    for (std::size_t i = 0; i < items.size(); ++i) one.arguments[i].operand = items[i];
    return builtin.call(e, builtin, one);
  });
}

std::optional<TensorValue> index_tensor(Elaboration& e, const Operand& operand) {
  const std::optional<TensorValue> tensor = tensor_of(e, operand, DType::kI32);
  if (!tensor || is_integer(tensor->dtype)) return tensor;
  e.error(operand.range, kIndexType, std::string(dtype_name(tensor->dtype)));
  return std::nullopt;
}

/// What is known of an index without any data has to lie in 0 .. extent - 1; an open end says nothing, unless
/// all numbers lie outside. Data is looked at when it is read, the rest when it is used.
bool check_inside(Elaboration& e, const Operand& operand, const TensorValue& index, std::int64_t extent) {
  const Interval range = range_of(e.builder.graph(), expr_of(e, index).value);
  const bool is_possible = !common(range, Interval::below(extent)).is_empty();
  if (range.is_inside(extent) || (is_possible && !range.is_finite())) return true;
  if (range.low == range.high) {
    e.error(operand.range, kConstantIndex, static_cast<std::int64_t>(range.low), extent)
        .note(fmt::format("indices run from 0 to {}", extent - 1));
    return false;
  }
  Report report = e.error(operand.range, kIndexRange, range_text(range), extent);
  report.note(fmt::format("indices run from 0 to {}", extent - 1));
  if (range.low >= 0 && range.is_finite()) {
    report.note(fmt::format("an axis of {} has room for all of them", range.high + 1));
  }
  return false;
}

}  // namespace

Value map_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  if (std::optional<Value> list = mapped(e, builtin, call)) return *std::move(list);
  const Operand& operand = call.arguments[0].operand;
  if (const NumberValue* number = operand.value.as<NumberValue>()) {
    const NumberValue result{builtin.number(number->value), std::nullopt, number->is_rounded};
    return checked_number(e, {result}, call.range);
  }
  const std::optional<TensorValue> tensor = tensor_of(e, operand);
  const std::optional<Expr> node =
      tensor ? checked_node(e, *builtin.op, {*tensor}, {}, call.range) : std::nullopt;
  return node ? Value{with_node(*tensor, *node)} : Value{Poison{}};
}

Value round_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  const NumberValue* number = call.arguments[0].operand.value.as<NumberValue>();
  return number ? number_value(builtin.number(number->value)) : map_call(e, builtin, call);
}

Value where_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  if (std::optional<Value> list = mapped(e, builtin, call)) return *std::move(list);
  const std::vector<Operand> operands = operands_of(call);
  if (const TruthValue* truth = operands[0].value.as<TruthValue>()) {
    return operands[truth->value ? 1 : 2].value;
  }
  const std::optional<TensorValue> condition = condition_of(e, operands[0]);
  if (!condition) return {Poison{}};
  const auto sides = aligned(e, {operands[1], operands[2]}, "where", call.range);
  if (!sides) return {Poison{}};
  const std::optional<Axes> axes = broadcast_axes(condition->axes, sides->front().axes);
  if (!axes) {
    Report report =
        e.error(call.range, kWhereShapes, axes_text(condition->axes), axes_text(sides->front().axes));
    e.label(report, operands[0].range, "this is " + axes_text(condition->axes));
    return {Poison{}};
  }
  const Batching batching = either(condition->batching, sides->front().batching);
  const TensorValue chosen = stretch(e, *condition, *axes, batching);
  const TensorValue yes = stretch(e, (*sides)[0], *axes, batching);
  const TensorValue no = stretch(e, (*sides)[1], *axes, batching);
  return {with_node(yes, select(expr_of(e, chosen), expr_of(e, yes), expr_of(e, no)))};
}

Value fraction_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  if (std::optional<Value> list = mapped(e, builtin, call)) return *std::move(list);
  const TensorValue* share = call.arguments[0].operand.value.as<TensorValue>();
  if (share && is_float(share->dtype)) {
    TensorValue result = *share;
    result.is_fraction = true;
    return {result};
  }
  const std::optional<TensorValue> condition = condition_of(e, call.arguments[0].operand);
  if (!condition) return {Poison{}};
  const TensorType type{e.dtype, graph_shape(condition->axes, condition->batching)};
  const Expr one = constant(e.builder, 1, type);
  const Expr zero = constant(e.builder, 0, type);
  TensorValue result = with_node(*condition, select(expr_of(e, *condition), one, zero));
  result.is_fraction = true;
  return {result};
}

Value transpose_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  if (std::optional<Value> list = mapped(e, builtin, call)) return *std::move(list);
  const std::optional<TensorValue> tensor = tensor_of(e, call.arguments[0].operand);
  if (!tensor) return {Poison{}};
  const std::size_t rank = tensor->axes.size();
  std::vector<std::size_t> order(rank);
  std::iota(order.begin(), order.end(), 0U);
  if (const CallArgument* to = named_argument(call, "to")) {
    const auto named = named_positions(e, *tensor, *to, call.arguments[0].operand);
    if (!named) return {Poison{}};
    if (named->size() != rank) {
      e.error(to->operand.range, kOrder, counted(static_cast<long long>(named->size()), "name"),
              axes_text(tensor->axes))
          .note("`as` gives names to axes that have none");
      return {Poison{}};
    }
    order = *named;
  } else if (rank < 2) {
    e.error(call.range, kFewAxes, axes_text(tensor->axes));
    return {Poison{}};
  } else {
    std::swap(order[rank - 1], order[rank - 2]);
  }
  TensorValue result = *tensor;
  for (std::size_t i = 0; i < rank; ++i) result.axes[i] = tensor->axes[order[i]];
  std::vector<std::int64_t> positions = graph_positions(*tensor, order);
  if (tensor->batching == Batching::kPerSample) positions.insert(positions.begin(), 0);
  result.id = transpose(expr_of(e, *tensor), std::move(positions)).value;
  return {result};
}

Value chunk_call(Elaboration& e, const Builtin&, const Call& call) {
  const std::optional<TensorValue> tensor = tensor_of(e, call.arguments[0].operand);
  const auto parts = whole_number(e, call.arguments[1].operand, "the number of parts");
  if (!tensor || !parts) return {Poison{}};
  if (!check_sizes_known(e, tensor->axes.empty() ? Axes{} : Axes{tensor->axes.back()}, "`chunk`", call.range))
    return {Poison{}};
  const bool fits = !tensor->axes.empty() && *parts > 0 && tensor->axes.back().size % *parts == 0;
  if (!fits) {
    e.error(call.range, kParts, axes_text(tensor->axes), *parts);
    return {Poison{}};
  }
  const std::int64_t size = tensor->axes.back().size / *parts;
  ListValue list;
  for (std::int64_t part = 0; part < *parts; ++part) {
    list.items.push_back({cut(e, *tensor, tensor->axes.size() - 1, part * size, size)});
  }
  return {std::move(list)};
}

Value spread_call(Elaboration& e, const Builtin&, const Call& call) {
  const std::optional<TensorValue> tensor = tensor_of(e, call.arguments[0].operand);
  const std::optional<Axis> axis = axis_of(e, call.arguments[1].operand);
  if (!tensor || !axis) return {Poison{}};
  TensorValue result = *tensor;
  result.axes.push_back(*axis);
  const Shape shape = graph_shape(result.axes, result.batching);
  std::vector<std::int64_t> others(shape.rank() - 1);
  std::iota(others.begin(), others.end(), 0);
  result.id = broadcast_at_once(expr_of(e, *tensor), shape, others).value;
  return {result};
}

Value one_hot_call(Elaboration& e, const Builtin&, const Call& call) {
  const std::optional<TensorValue> index = index_tensor(e, call.arguments[0].operand);
  const std::optional<Axis> axis = axis_of(e, call.arguments[1].operand);
  if (!index || !axis) return {Poison{}};
  if (!check_inside(e, call.arguments[0].operand, *index, axis->size)) return {Poison{}};
  TensorValue result = with_node(*index, one_hot(expr_of(e, *index), axis->size, e.dtype));
  result.axes.push_back(*axis);
  return {result};
}

Value iota_call(Elaboration& e, const Builtin&, const Call& call) {
  const std::optional<Axis> axis = axis_of(e, call.arguments[0].operand);
  if (!axis) return {Poison{}};
  const TensorType type{DType::kI32, {axis->size}};
  return {
      TensorValue{e.builder.add(ops::iota, {}, AlongAxis{0}, type), {*axis}, Batching::kShared, type.dtype}};
}

Value float_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  if (std::optional<Value> list = mapped(e, builtin, call)) return *std::move(list);
  const Operand& operand = call.arguments[0].operand;
  if (operand.value.as<NumberValue>()) return operand.value;
  const std::optional<TensorValue> tensor = tensor_of(e, operand);
  if (!tensor) return {Poison{}};
  if (tensor->dtype != DType::kBool) return {with_node(*tensor, cast(expr_of(e, *tensor), e.dtype))};
  e.error(operand.range, kNoNumber, kind_text(operand.value))
      .note("`where(c, 1, 0)` makes numbers of conditions");
  return {Poison{}};
}

Value gather_call(Elaboration& e, const Builtin&, const Call& call) {
  const std::optional<TensorValue> table = tensor_of(e, call.arguments[0].operand);
  const std::optional<TensorValue> index = index_tensor(e, call.arguments[1].operand);
  if (!table || !index) return {Poison{}};
  if (table->batching == Batching::kPerSample || table->axes.empty() || is_row_axis(table->axes.front())) {
    e.error(call.arguments[0].operand.range, kTable);
    return {Poison{}};
  }
  if (!check_inside(e, call.arguments[1].operand, *index, table->axes.front().size)) return {Poison{}};
  TensorValue result = *table;
  result.id = gather(expr_of(e, *table), expr_of(e, *index)).value;
  result.batching = index->batching;
  result.axes = index->axes;
  result.axes.insert(result.axes.end(), table->axes.begin() + 1, table->axes.end());
  return {result};
}

Value uniform_call(Elaboration& e, const Builtin&, const Call& call) {
  const auto low = plain_number(e, call.arguments[0].operand, "a bound");
  const auto high = plain_number(e, call.arguments[1].operand, "a bound");
  if (!low || !high) return {Poison{}};
  if (*low < *high) return {InitialValue{{Initializer::Kind::kUniform, *low, *high, {}}}};
  e.error(call.range, kBounds, fmt::format("{}", *low), fmt::format("{}", *high));
  return {Poison{}};
}

Value normal_call(Elaboration& e, const Builtin&, const Call& call) {
  const auto spread = plain_number(e, call.arguments[0].operand, "a standard deviation");
  const CallArgument* limit = named_argument(call, "cut");
  const auto cut =
      limit ? plain_number(e, limit->operand, "a number of standard deviations") : std::optional(0.0);
  if (!spread || !cut) return {Poison{}};
  if (!(*spread > 0)) {
    e.error(call.range, kSpread, fmt::format("{}", *spread));
    return {Poison{}};
  }
  if (limit && !(*cut >= 0.1)) {
    e.error(limit->operand.range, kCut, number_text(*cut));
    return {Poison{}};
  }
  return {InitialValue{{Initializer::Kind::kNormal, *spread, *cut, {}}}};
}

Value orthogonal_call(Elaboration& e, const Builtin&, const Call& call) {
  const auto gain =
      call.arguments.empty() ? std::optional(1.0) : plain_number(e, call.arguments[0].operand, "a gain");
  if (!gain) return {Poison{}};
  if (!(*gain > 0)) {
    e.error(call.arguments[0].operand.range, kGain, number_text(*gain));
    return {Poison{}};
  }
  if (!check_drawn_matrix(e, call.range)) return {Poison{}};
  return {InitialValue{{Initializer::Kind::kOrthogonal, *gain, 0, {}}}};
}

Value fan_in_call(Elaboration& e, const Builtin&, const Call& call) {
  return fan(e, Fan::kIn, call.range);
}

Value fan_out_call(Elaboration& e, const Builtin&, const Call& call) {
  return fan(e, Fan::kOut, call.range);
}

Value misplaced_call(Elaboration& e, const Builtin& builtin, const Call& call) {
  e.error(call.range, kMisplaced, std::string(builtin.name), std::string(builtin.doc))
      .note(fmt::format("it is `{}`", call_form(builtin)));
  return {Poison{}};
}

}  // namespace dlg
