#include "ir/ops/contract_type.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ir/ops/type_rules.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

using Reason = std::optional<std::string>;
using Extents = std::map<char, std::int64_t>;

/// Indices of windows stay below it, so that sums of them can be counted exactly.
constexpr std::int64_t kFarthest = std::int64_t{1} << 40U;

/// Notes the extent of each bare label of one list, or says which two extents differ.
Reason note_extents(Extents& extents, const LabelledAxes& axes, const Shape& shape) {
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i].is_window()) {
      if (shape[i] == kBatch) return fmt::format("a window along the batch in `{}`", axes_text(axes));
      continue;
    }
    const char label = axes[i].out.label;
    const auto [known, is_new] = extents.emplace(label, shape[i]);
    if (is_new || known->second == shape[i]) continue;
    return fmt::format("axes of 2 sizes under label `{}`: {} and {}", label, shape_text(Shape{known->second}),
                       shape_text(Shape{shape[i]}));
  }
  return std::nullopt;
}

Reason note_operand(Extents& extents, const LabelledAxes& axes, const Shape& shape) {
  if (axes.size() == shape.rank()) return note_extents(extents, axes, shape);
  return fmt::format("{} labels `{}` for an operand of shape {}", axes.size(), axes_text(axes),
                     shape_text(shape));
}

bool follows_from(const Extents& extents, const LabelledAxes& result) {
  return std::ranges::all_of(result, [&](const LabelledAxis& axis) {
    return !axis.is_window() && extents.contains(axis.out.label);
  });
}

/// The shape of the result, or in `reason` why there is none.
Shape result_shape(Extents& extents, const ContractLabels& labels, const Shape& declared, Reason& reason) {
  if (follows_from(extents, labels.result)) {
    std::vector<std::int64_t> dims;
    for (const LabelledAxis& axis : labels.result) dims.push_back(extents.at(axis.out.label));
    return Shape(std::move(dims));
  }
  if (declared.rank() == labels.result.size()) {
    reason = note_extents(extents, labels.result, declared);
  } else {
    reason = fmt::format("{} labels `{}` for a result of shape {}", labels.result.size(),
                         axes_text(labels.result), shape_text(declared));
  }
  return declared;
}

Reason bad_window(const Extents& extents, const LabelledAxis& window) {
  std::int64_t reach = std::max(window.offset, -window.offset);
  for (const LabelTerm& term : {window.out, window.tap}) {
    const std::int64_t extent = extents.at(term.label);
    if (extent == kBatch) return fmt::format("the batch under label `{}` of a window", term.label);
    reach = saturated_add(reach, saturated_mul(term.factor, extent));
  }
  if (reach < kFarthest) return std::nullopt;
  return fmt::format("a window `{}` that reaches 2^40 elements or more", axes_text({window}));
}

/// What windows and guards may not be over.
Reason bad_points(const Extents& extents, const ContractLabels& labels) {
  for (const LabelledAxes* axes : {&labels.a, &labels.b, &labels.result}) {
    for (const LabelledAxis& axis : *axes) {
      const Reason reason = axis.is_window() ? bad_window(extents, axis) : std::nullopt;
      if (reason) return reason;
    }
  }
  for (const LabelGuard& guard : labels.guards) {
    for (const char label : {guard.minuend, guard.subtrahend}) {
      if (extents.at(label) == kBatch) return fmt::format("the batch under label `{}` of a guard", label);
    }
  }
  return std::nullopt;
}

}  // namespace

TypeResult contract_type(const TypeQuery& query) {
  const TensorType& a = query.operands[0];
  const TensorType& b = query.operands[1];
  if (const Reason reason = not_float(a)) return *reason;
  if (a.dtype != b.dtype) {
    return fmt::format("operands of 2 element types: {} and {}", dtype_name(a.dtype), dtype_name(b.dtype));
  }
  const ContractLabels& labels = std::get<ContractedAxes>(query.attributes).labels;
  Extents extents;
  if (const Reason reason = note_operand(extents, labels.a, a.shape)) return *reason;
  if (const Reason reason = note_operand(extents, labels.b, b.shape)) return *reason;
  for (const LabelSize& said : labels.sizes) extents.emplace(said.label, said.size);
  Reason reason;
  Shape shape = result_shape(extents, labels, query.declared.shape, reason);
  if (!reason) reason = bad_points(extents, labels);
  if (reason) return *reason;
  if (std::ranges::count(shape.dims(), kBatch) > 1)
    return "a result with two batch axes, expected one label for the batch";
  return TensorType{a.dtype, std::move(shape)};
}

}  // namespace dlg
