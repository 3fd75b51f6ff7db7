#include "frontend/elaborate/contraction.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/row_axis.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kContracted{DiagCode::ContractedAxes, Severity::kError,
                                                     "`{} @ {}`: the axes that are summed over differ"};
constexpr Diag<std::string> kScalar{
    DiagCode::ContractedAxes, Severity::kError,
    "found {} beside `@`, expected a value with axes; `*` multiplies by a number"};
constexpr Diag<std::string, std::string> kLeading{DiagCode::ShapeMismatch, Severity::kError,
                                                  "the leading axes of {} and {} do not fit in `@`"};
constexpr Diag<std::string, std::string> kTypes{DiagCode::ElementTypes, Severity::kError,
                                                "element types {} and {} do not mix in `@`"};
constexpr Diag<std::string, std::string> kRowPairs{DiagCode::UnknownRows, Severity::kError,
                                                   "`{} @ {}` would have a value for each pair of rows"};
constexpr Diag<std::size_t> kManyAxes{DiagCode::ShapeMismatch, Severity::kError,
                                      "found {} axes beside `@`, more than it can name"};

/// Labels of leading axes, from the right. The batch is b, the contracted axis i, the free ones o and p.
constexpr std::string_view kLeadingLabels = "hgfedcqrstuvwxyzjklmna";

/// Axes of a factor by their part in the product.
struct Factor {
  TensorValue tensor;
  Axes leading;
  Axis contracted;
  std::optional<Axis> free;
};

enum class Side { kLeft, kRight };

Factor factor_of(const TensorValue& tensor, Side side) {
  Factor factor{tensor, {}, {}, std::nullopt};
  Axes axes = tensor.axes;
  if (axes.size() == 1) {
    factor.contracted = axes[0];
    return factor;
  }
  const std::size_t last = axes.size() - 1;
  factor.contracted = axes[side == Side::kLeft ? last : last - 1];
  factor.free = axes[side == Side::kLeft ? last - 1 : last];
  factor.leading.assign(axes.begin(), axes.end() - 2);
  return factor;
}

std::string labels(const Factor& factor, Side side) {
  std::string text;
  for (std::size_t i = factor.leading.size(); i-- > 0;) text += kLeadingLabels[i];
  if (factor.tensor.batching == Batching::kPerSample) text.insert(text.begin(), 'b');
  if (side == Side::kLeft) return text + (factor.free ? "oi" : "i");
  return text + (factor.free ? "ip" : "i");
}

Value build(Elaboration& e, const Factor& a, const Factor& b, const Axes& leading) {
  TensorValue result{{}, leading, either(a.tensor.batching, b.tensor.batching), a.tensor.dtype};
  std::string text;
  if (result.batching == Batching::kPerSample) text += 'b';
  for (std::size_t i = leading.size(); i-- > 0;) text += kLeadingLabels[i];
  if (a.free) {
    text += 'o';
    result.axes.push_back(*a.free);
  }
  if (b.free) {
    text += 'p';
    result.axes.push_back(*b.free);
  }
  const std::string spec = labels(a, Side::kLeft) + "," + labels(b, Side::kRight) + "->" + text;
  result.id = contract(expr_of(e, a.tensor), expr_of(e, b.tensor), spec).value;
  return {result};
}

void label_factor(Elaboration& e, Report& report, const Operand& operand, const Factor& factor) {
  e.label(report, operand.range,
          "this is " + axes_text(factor.tensor.axes) + ", summed over " + axes_text({factor.contracted}));
  e.label_origin(report, operand);
}

/// What would fit with its two axes the other way round.
std::optional<Axes> turned_over(const Factor& factor, const Axis& wanted) {
  if (!factor.free || factor.tensor.axes.size() != 2 || !unify(*factor.free, wanted)) return std::nullopt;
  return Axes{factor.tensor.axes[1], factor.tensor.axes[0]};
}

bool has_axes(Elaboration& e, const TensorValue& tensor, const Operand& operand) {
  if (tensor.axes.empty()) {
    e.error(operand.range, kScalar, axes_text(tensor.axes));
    return false;
  }
  if (tensor.axes.size() - 1 <= kLeadingLabels.size()) return true;
  e.error(operand.range, kManyAxes, tensor.axes.size());
  return false;
}

}  // namespace

Value contraction(Elaboration& e, const Operand& a, const Operand& b, SourceRange range) {
  const std::optional<TensorValue> left = tensor_of(e, a);
  const std::optional<TensorValue> right = tensor_of(e, b);
  if (!left || !right || !has_axes(e, *left, a) || !has_axes(e, *right, b)) return {Poison{}};
  if (left->dtype != right->dtype || !is_float(left->dtype)) {
    e.error(range, kTypes, std::string(dtype_name(left->dtype)), std::string(dtype_name(right->dtype)));
    return {Poison{}};
  }
  const Factor first = factor_of(*left, Side::kLeft);
  const Factor second = factor_of(*right, Side::kRight);
  const std::string texts[] = {axes_text(left->axes), axes_text(right->axes)};
  const bool fits = unify(first.contracted, second.contracted).has_value();
  const std::optional<Axes> leading = broadcast_axes(first.leading, second.leading);
  if (!fits || !leading) {
    Report report = e.error(range, fits ? kLeading : kContracted, texts[0], texts[1]);
    label_factor(e, report, a, first);
    label_factor(e, report, b, second);
    std::optional<Axes> turned = turned_over(first, second.contracted);
    if (!turned) turned = turned_over(second, first.contracted);
    if (!fits && turned)
      report.note(fmt::format("a factor {} would fit, the axes the other way round", axes_text(*turned)));
    return {Poison{}};
  }
  Axes kept = *leading;
  for (const Factor* factor : {&first, &second}) {
    if (factor->free) kept.push_back(*factor->free);
  }
  if (std::count_if(kept.begin(), kept.end(), is_row_axis) > 1) {
    e.error(range, kRowPairs, texts[0], texts[1]);
    return {Poison{}};
  }
  return build(e, first, second, *leading);
}

}  // namespace dlg
