// Owns the view through windows: what a pool looks at.
#include <algorithm>
#include <array>

#include "ir/ops/contract_sums.h"
#include "ir/ops/contract_type.h"
#include "ir/ops/expr.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

const ContractLabels& labels_of(const Attributes& attributes) {
  return std::get<ContractedAxes>(attributes).labels;
}

/// The largest index that a window meets. Its factors are 1 or more.
std::int64_t last_of(const LabelledAxis& window, const LabelSizes& sizes) {
  return window.out.factor * (sizes.at(window.out.label) - 1) +
         window.tap.factor * (sizes.at(window.tap.label) - 1) + window.offset;
}

/// Types as a product with 1 has them.
TypeResult windows_type(const TypeQuery& query) {
  const TensorType& x = query.operands[0];
  const ContractLabels& labels = labels_of(query.attributes);
  if (!labels.b.empty()) return "labels of a second operand `" + axes_text(labels.b) + "`, expected none";
  if (!labels.guards.empty()) return "a guard, expected none: nothing is left out";
  const std::array operands{x, TensorType{x.dtype, {}}};
  const TypeResult type = contract_type({operands, query.attributes, query.declared});
  const TensorType* result = std::get_if<TensorType>(&type);
  if (result == nullptr) return type;
  const LabelSizes sizes = label_sizes(labels, x.shape, {}, result->shape);
  if (std::ranges::any_of(labels.result, &LabelledAxis::is_window))
    return "a window on the result `" + axes_text(labels.result) + "`, expected none";
  for (const char label : contract_sum(labels).summed) {
    if (sizes.at(label) > 1) return std::string("label `") + label + "` not in the result, expected no sum";
  }
  for (std::size_t axis = 0; axis < labels.a.size(); ++axis) {
    const LabelledAxis& window = labels.a[axis];
    if (!window.is_window()) continue;
    if (window.offset < 0 || last_of(window, sizes) >= x.shape[axis])
      return "a window `" + axes_text({window}) + "` that sticks out of its axis";
  }
  return type;
}

Scalar windows_element(ElementScope& scope) {
  const ContractLabels& labels = labels_of(scope.node().attributes);
  const auto add_term = [&](loop::Index& index, const LabelTerm& term) {
    const auto axis = bare_axis(labels.result, term.label);
    if (axis) loop::add_scaled(index, scope.index()[*axis], term.factor);
  };
  Indices at;
  for (const LabelledAxis& axis : labels.a) {
    loop::Index& index = at.emplace_back(loop::fixed_index(axis.offset));
    add_term(index, axis.out);
    if (axis.is_window()) add_term(index, axis.tap);
  }
  return scope.arg(0, std::move(at));
}

void windows_vjp(VjpScope& scope) {
  const ContractLabels& labels = labels_of(scope.attributes());
  const Expr x = scope.operand(0);
  const Expr one = constant(*x.builder, 1, {x.type().dtype, {}});
  scope.add_gradient(
      0, contract(scope.seed(), one, with_lists(labels, labels.result, labels.b, labels.a), x.shape()));
}

SampleCase view(const Shape& x, std::string_view labels, const Shape& result) {
  return {{{DType::kF64, x}}, ContractedAxes{contract_labels(labels)}, {DType::kF64, result}};
}

std::vector<SampleCase> windows_cases() {
  return {view({7}, "(2x+s),->xs", {3, 3}),
          view({kBatch, 3, 7, 9}, "bc(2y+r+1)(x+2s),->bcyxrs", {kBatch, 3, 2, 5, 4, 3}),
          view({9, 4}, "(3y+r+2)c,->cy;r=1", {4, 3}), view({kBatch, 4, 3}, "byc,->bcy", {kBatch, 3, 4})};
}

}  // namespace

constinit const OpDef ops::windows{
    .name = "windows",
    .doc =
        "The elements of x that windows meet, as the labels of a contraction with nothing say: "
        "`bc(2y+r),->bcyr`. "
        "Nothing is summed, and no window sticks out.",
    .formula = "dx = contract(dy, 1) to the labels of x: what several windows meet adds up",
    .arity = 1,
    .attributes = attributes_like<ContractedAxes>,
    .declares_type = true,
    .type = windows_type,
    .vjp = windows_vjp,
    .lowering = Map{windows_element},
    .is_selection = true,
    .cases = windows_cases,
};

}  // namespace dlg
