#include "frontend/elaborate/shapes.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/names.h"
#include "frontend/elaborate/row_axis.h"

namespace dlg {
namespace {

constexpr Diag<std::int64_t, std::string> kOutOfRange{DiagCode::IndexOutOfRange, Severity::kError,
                                                      "index {} is outside of the axis {}"};
constexpr Diag<std::size_t, std::string> kManyIndices{DiagCode::IndexOutOfRange, Severity::kError,
                                                      "found {} indices for {}"};
constexpr Diag<std::int64_t, std::int64_t> kEmptySlice{DiagCode::EmptyAxis, Severity::kError,
                                                       "the slice {}..{} is empty"};
constexpr Diag<std::string, std::string> kCount{DiagCode::ElementCount, Severity::kError,
                                                "{} cannot become {}: the element counts differ"};
constexpr Diag<std::string> kUnknownAxis{DiagCode::BadAxis, Severity::kError,
                                         "`{}` is neither a dim nor an axis that is bound here"};
constexpr Diag<> kTwoUnknown{DiagCode::BadAxis, Severity::kError,
                             "two axes without a size, expected at most one to infer"};
constexpr Diag<> kUnknownSize{DiagCode::BadAxis, Severity::kError,
                              "an axis without a size, expected all sizes: a file is read later"};
constexpr Diag<std::string> kNotIndexed{DiagCode::NotAValue, Severity::kError,
                                        "found {} before `[`, expected a value with axes"};

struct Span {
  std::int64_t first = 0;
  std::int64_t last = 0;
  bool is_index = true;
};

std::optional<Span> span_of(Elaboration& e, ast::ExprId id, const Axis& axis) {
  const ast::Expr& expr = e.expr(id);
  if (!check_sizes_known(e, {axis}, "an index", expr.range)) return std::nullopt;
  const bool is_range = expr.kind == ast::ExprKind::kRange;
  const ast::ExprId ends[] = {is_range ? expr.args[0] : id, is_range ? expr.args[1] : id};
  std::int64_t at[2] = {0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::optional<std::int64_t> index = whole_number(e, evaluate_operand(e, ends[i]), "an index");
    if (!index) return std::nullopt;
    at[i] = *index;
    if (at[i] >= 0 && at[i] < axis.size) continue;
    e.error(e.expr(ends[i]).range, kOutOfRange, at[i], axes_text({axis}))
        .note(fmt::format("indices run from 0 to {}", axis.size - 1));
    return std::nullopt;
  }
  if (at[0] <= at[1]) return Span{at[0], at[1], !is_range};
  e.error(expr.range, kEmptySlice, at[0], at[1]);
  return std::nullopt;
}

Value index_list(Elaboration& e, const ListValue& list, const ast::Expr& expr) {
  const Axis axis{"", static_cast<std::int64_t>(list.items.size()), 0};
  const std::optional<Span> span = span_of(e, expr.args[1], axis);
  if (!span) return {Poison{}};
  if (span->is_index) return list.items[static_cast<std::size_t>(span->first)];
  ListValue part{list.kind, {}};
  part.items.assign(list.items.begin() + span->first, list.items.begin() + span->last + 1);
  return {std::move(part)};
}

std::optional<Axis> bare_axis(Elaboration& e, const ast::Axis& axis) {
  const ast::Expr& size = e.expr(axis.size);
  if (size.kind == ast::ExprKind::kName && !find_name(e, size.text)) {
    e.error(size.range, kUnknownAxis, size.text)
        .note(fmt::format("`{}: 4` makes an axis of that name here", size.text));
    return std::nullopt;
  }
  return axis_of(e, evaluate_operand(e, axis.size));
}

/// Size 0 stands for: to infer.
std::optional<Axis> written_axis(Elaboration& e, const ast::Axis& axis) {
  if (!axis.size.is_valid()) return Axis{axis.label ? axis.label->text : "", 0, 0};
  if (!axis.label) return bare_axis(e, axis);
  const std::optional<Axis> size = axis_of(e, evaluate_operand(e, axis.size));
  if (!size) return std::nullopt;
  return Axis{axis.label->text, size->size, 0};
}

/// The axes of an `as`; size 0 stands for: to infer.
std::optional<Axes> written_axes(Elaboration& e, const ast::Expr& expr) {
  Axes axes;
  for (const ast::Axis& written : expr.axes) {
    if (written.is_rest && e.frame().rest) {
      axes.insert(axes.end(), e.frame().rest->begin(), e.frame().rest->end());
      continue;
    }
    const std::optional<Axis> axis = written_axis(e, written);
    if (!axis) return std::nullopt;
    axes.push_back(*axis);
  }
  return axes;
}

std::ptrdiff_t unknown_sizes(const Axes& axes) {
  return std::count_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.size == 0; });
}

/// Gives the one axis of size 0 its size.
bool infer_size(Axes& axes, std::int64_t count) {
  Axis* missing = nullptr;
  std::int64_t known = 1;
  for (Axis& axis : axes) {
    if (axis.size == 0) missing = &axis;
    if (axis.size != 0) known = known > count ? known : known * axis.size;
  }
  if (!missing) return known == count;
  if (count % known != 0) return false;
  missing->size = count / known;
  return true;
}

}  // namespace

TensorValue with_axes(Elaboration& e, const TensorValue& tensor, Axes axes) {
  const Expr node = reshape(expr_of(e, tensor), graph_shape(axes, tensor.batching));
  return {node.value, std::move(axes), tensor.batching, tensor.dtype, tensor.is_fraction};
}

TensorValue cut(Elaboration& e, const TensorValue& tensor, std::size_t axis, std::int64_t start,
                std::int64_t size) {
  const std::size_t batch = tensor.batching == Batching::kPerSample ? 1 : 0;
  std::vector<std::int64_t> starts(tensor.axes.size() + batch, 0);
  starts[axis + batch] = start;
  Axes axes = tensor.axes;
  if (axes[axis].size != size) axes[axis] = {"", size, 0};
  const Expr node = slice(expr_of(e, tensor), std::move(starts), graph_shape(axes, tensor.batching));
  return {node.value, std::move(axes), tensor.batching, tensor.dtype};
}

Value index_value(Elaboration& e, const Operand& base, const ast::Expr& expr) {
  if (base.value.is_poison()) return {Poison{}};
  const ListValue* list = base.value.as<ListValue>();
  if (list && expr.args.size() == 2) return index_list(e, *list, expr);
  const bool is_countable = axes_if_tensor(e, base.value).has_value() && !base.value.as<NumberValue>();
  if (!is_countable) {
    Report report = e.error(base.range, kNotIndexed, kind_text(base.value));
    e.label_origin(report, base);
    return {Poison{}};
  }
  const std::optional<TensorValue> tensor = tensor_of(e, base);
  if (!tensor) return {Poison{}};
  if (expr.args.size() - 1 > tensor->axes.size()) {
    e.error(expr.range, kManyIndices, expr.args.size() - 1, axes_text(tensor->axes));
    return {Poison{}};
  }
  TensorValue result = *tensor;
  Axes kept;
  for (std::size_t i = 0; i < tensor->axes.size(); ++i) {
    if (i + 1 >= expr.args.size()) {
      kept.push_back(tensor->axes[i]);
      continue;
    }
    const std::optional<Span> span = span_of(e, expr.args[i + 1], tensor->axes[i]);
    if (!span) return {Poison{}};
    result = cut(e, result, i, span->first, span->last - span->first + 1);
    if (!span->is_index) kept.push_back(result.axes[i]);
  }
  return {with_axes(e, result, kept)};
}

std::optional<Axes> as_axes(Elaboration& e, const ast::Expr& expr, const Axes& from) {
  if (!check_sizes_known(e, from, "`as`", expr.range)) return std::nullopt;
  std::optional<Axes> axes = written_axes(e, expr);
  if (!axes) return std::nullopt;
  if (unknown_sizes(*axes) > 1) {
    e.error(expr.range, kTwoUnknown);
    return std::nullopt;
  }
  const std::optional<std::int64_t> count = element_count(from);
  if (count && infer_size(*axes, *count)) return axes;
  for (Axis& axis : *axes) axis.size = axis.size == 0 ? 1 : axis.size;
  Report report = e.error(expr.range, kCount, axes_text(from), axes_text(*axes));
  e.label(report, e.expr(expr.args[0]).range, fmt::format("this has {} elements", count.value_or(0)));
  return std::nullopt;
}

std::optional<Axes> given_axes(Elaboration& e, const ast::Expr& expr) {
  std::optional<Axes> axes = written_axes(e, expr);
  if (axes && unknown_sizes(*axes) == 0) return axes;
  if (axes) e.error(expr.range, kUnknownSize);
  return std::nullopt;
}

Value reshaped(Elaboration& e, const Operand& base, const ast::Expr& expr) {
  const std::optional<TensorValue> tensor = tensor_of(e, base);
  if (!tensor) return {Poison{}};
  const std::optional<Axes> axes = as_axes(e, expr, tensor->axes);
  if (!axes) return {Poison{}};
  return {with_axes(e, *tensor, *axes)};
}

}  // namespace dlg
