// Owns the contraction: the one op behind matmul, matvec, outer and dot products.
#include <algorithm>

#include "ir/ops/contract_points.h"
#include "ir/ops/contract_type.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::Op;
using Scalars = ElementScope::Scalars;

/// The gradient of one operand contracts the seed with the other operand, over the same points.
void contract_vjp(VjpScope& scope) {
  const ContractLabels labels = std::get<ContractedAxes>(scope.attributes()).labels;
  const Expr a = scope.operand(0);
  const Expr b = scope.operand(1);
  scope.add_gradient(
      0, contract(scope.seed(), b, with_lists(labels, labels.result, labels.b, labels.a), a.shape()));
  scope.add_gradient(
      1, contract(scope.seed(), a, with_lists(labels, labels.result, labels.a, labels.b), b.shape()));
}

std::string_view contract_word(const Attributes& attributes) {
  const ContractLabels& labels = std::get<ContractedAxes>(attributes).labels;
  if (leaves_out(labels)) return "contract";
  const bool has_free_a = std::ranges::any_of(
      labels.a, [&](const LabelledAxis& axis) { return !bare_axis(labels.b, axis.out.label); });
  const bool has_free_b = std::ranges::any_of(
      labels.b, [&](const LabelledAxis& axis) { return !bare_axis(labels.a, axis.out.label); });
  const bool has_sum = std::ranges::any_of(
      labels.a, [&](const LabelledAxis& axis) { return !bare_axis(labels.result, axis.out.label); });
  const bool is_outer = has_free_a && has_free_b && labels.result.size() == labels.a.size() + labels.b.size();
  if (!has_sum) return is_outer ? "outer" : "contract";
  if (has_free_a && has_free_b) return "matmul";
  return has_free_a || has_free_b ? "matvec" : "dot";
}

Scalars add_scalars(std::span<const Scalar> left, std::span<const Scalar> right) {
  return {left[0] + right[0]};
}

/// Chains of a contraction that leaves points out begin with -0, which leaves no trace where there are none;
/// +0 is added to the whole, and the sum of no point is +0.
Scalar contract_element(ElementScope& scope) {
  const ContractLabels& labels = std::get<ContractedAxes>(scope.node().attributes).labels;
  const DType dtype = scope.node().type.dtype;
  const ContractPoints points(scope);
  std::vector<std::int64_t> extents = points.extents();
  const bool has_loops = !extents.empty() || !points.beside().empty();
  if (!has_loops && !leaves_out(labels))
    return scope.arg(0, points.operand(0, {})) * scope.arg(1, points.operand(1, {}));
  if (!extents.empty() && extents.back() > 1 && has_defect(Defect::kContractTail)) --extents.back();
  const ElementScope::Step step = [&](std::span<const loop::Index> at, std::span<const Scalar> carried) {
    return Scalars{scope.emit(
        Op::kFma, {scope.arg(0, points.operand(0, at)), scope.arg(1, points.operand(1, at)), carried[0]})};
  };
  const ElementScope::Combine add = add_scalars;
  const Scalar none = scope.constant(-0.0, dtype);
  const loop::SumForm form =
      extents.empty() ? loop::SumForm::kChains : sum_form(labels, scope.node().type.shape);
  const bool begins_at_zero = form == loop::SumForm::kChains && !leaves_out(labels);
  const Scalar sum = scope.reduce({.extents = extents,
                                   .form = form,
                                   .initial = {begins_at_zero ? scope.constant(0, dtype) : none},
                                   .none = {none},
                                   .step = step,
                                   .combine = add,
                                   .beside = points.beside(),
                                   .conditions = points.conditions()})[0];
  return leaves_out(labels) ? sum + scope.constant(0, dtype) : sum;
}

SampleCase contraction(const Shape& a, const Shape& b, std::string_view labels, const Shape& result = {}) {
  return {
      {{DType::kF64, a}, {DType::kF64, b}}, ContractedAxes{contract_labels(labels)}, {DType::kF64, result}};
}

/// Convolutions and their derivatives: strides, padding, dilation, groups, taps on the result, guards.
std::vector<SampleCase> window_cases() {
  return {contraction({2, 7}, {3}, "b(x+s-1),s->bx", {2, 7}),
          contraction({kBatch, 6, 5, 2}, {3, 3, 3, 2}, "b(y+r-1)(x+s-1)c,orsc->byxo", {kBatch, 6, 5, 3}),
          contraction({2, 3, 7, 6}, {9, 3, 3, 3}, "bc(2y+r-1)(2x+s-1),ocrs->boyx", {2, 9, 4, 3}),
          contraction({2, 9, 3}, {3, 8, 3}, "b(x+2s-2)c,soc->bxo", {2, 9, 8}),
          contraction({3, 5, 2, 4}, {2, 3, 3, 4}, "b(y+r)gc,grkc->bygk", {3, 3, 2, 3}),
          contraction({kBatch, 6, 9}, {3, 9}, "b(2y+r-2)g,rg->byg", {kBatch, 4, 9}),
          contraction({kBatch, 4, 3}, {3, 3, 2}, "byo,ros->b(2y+r-1)s", {kBatch, 8, 2}),
          contraction({2, 3, 3, 2}, {2, 3, 2, 9}, "byxo,orsc->b(2y+2r-1)(3x+s)c", {2, 9, 8, 9}),
          contraction({kBatch, 4, 3}, {kBatch, 8, 2}, "byo,b(2y+r-1)c->orc", {3, 3, 2}),
          contraction({2, 5, 6}, {2, 6, 4}, "hqk,hkd->hqd;q-k", {2, 5, 4}),
          contraction({kBatch, 7, 3}, {}, "b(2y+r)c,->byc;r=2", {kBatch, 3, 3}),
          contraction({kBatch, 4, 2}, {3}, "b(y+r-1)c,r->byrc", {kBatch, 4, 3, 2})};
}

std::vector<SampleCase> contract_cases() {
  std::vector<SampleCase> cases{contraction({5}, {5}, "i,i->"),
                                contraction({3, 5}, {5}, "oi,i->o"),
                                contraction({12, 35}, {35}, "oi,i->o"),
                                contraction({3}, {4}, "i,j->ij"),
                                contraction({3, 4}, {4, 2}, "ij,jk->ik"),
                                contraction({9, 20}, {20, 17}, "ij,jk->ik"),
                                contraction({kBatch, 4}, {10, 4}, "bi,oi->bo"),
                                contraction({kBatch, 10}, {kBatch, 4}, "bo,bi->oi"),
                                contraction({kBatch, 2}, {kBatch, 3}, "bo,bi->oi"),
                                contraction({kBatch, 3}, {kBatch, 3}, "bi,bi->b"),
                                contraction({2, 3, 4}, {2, 4, 5}, "hqd,hdk->hqk"),
                                contraction({3, 4, 9}, {3, 4}, "ijo,ij->o"),
                                contraction({3, 4, 5}, {3, 5}, "iok,ik->o")};
  const std::vector<SampleCase> windows = window_cases();
  cases.insert(cases.end(), windows.begin(), windows.end());
  return cases;
}

}  // namespace

constinit const OpDef ops::contract{
    .name = "contract",
    .doc =
        "The sum of products over the axes that `labels` name in both operands and not in the result: "
        "`bi,oi->bo`. It prints as matmul, matvec, outer or dot where it is one. A label stands bare at most "
        "once in an operand. An axis may be a window of two labels: `b(2y+r-1)c,orc->byo` is a convolution "
        "with stride 2 that begins one element before the axis. A point of which a window lies outside of "
        "its axis is left out, as is one that a guard excludes: `hqk,hkd->hqd;q-k` counts where q - k is not "
        "below 0. The sum of no point is +0. `;r=2` says the size of a label that stands in windows alone.",
    .formula =
        "da = contract(dy, b) to the labels of a; db = contract(dy, a) to the labels of b, over the same "
        "points",
    .arity = 2,
    .attributes = attributes_like<ContractedAxes>,
    .declares_type = true,
    .type = contract_type,
    .vjp = contract_vjp,
    .lowering = Nest{contract_element},
    .cases = contract_cases,
    .word = contract_word,
};

}  // namespace dlg
