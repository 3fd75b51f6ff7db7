// Owns the contraction: the one op behind matmul, matvec, outer and dot products.
#include <fmt/format.h>

#include <map>

#include "ir/ops/contract_sums.h"
#include "ir/ops/expr.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::Op;
using Scalars = ElementScope::Scalars;
using Extents = std::map<char, std::int64_t>;

/// Notes the extent of each label of one operand, or says which two extents differ.
std::optional<std::string> note_extents(Extents& extents, std::string_view labels, const Shape& shape) {
  if (labels.size() != shape.rank()) {
    return fmt::format("{} labels `{}` for an operand of shape {}", labels.size(), labels, shape_text(shape));
  }
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto [known, is_new] = extents.emplace(labels[i], shape[i]);
    if (is_new || known->second == shape[i]) continue;
    return fmt::format("axes of 2 sizes under label `{}`: {} and {}", labels[i],
                       shape_text(Shape{known->second}), shape_text(Shape{shape[i]}));
  }
  return std::nullopt;
}

TypeResult contract_type(const TypeQuery& query) {
  const TensorType& a = query.operands[0];
  const TensorType& b = query.operands[1];
  if (const auto reason = not_float(a)) return *reason;
  if (a.dtype != b.dtype) {
    return fmt::format("operands of 2 element types: {} and {}", dtype_name(a.dtype), dtype_name(b.dtype));
  }
  const ContractLabels& labels = std::get<ContractedAxes>(query.attributes).labels;
  Extents extents;
  if (const auto reason = note_extents(extents, labels.a, a.shape)) return *reason;
  if (const auto reason = note_extents(extents, labels.b, b.shape)) return *reason;
  std::vector<std::int64_t> dims;
  int batches = 0;
  for (const char label : labels.result) {
    dims.push_back(extents.at(label));
    batches += dims.back() == kBatch ? 1 : 0;
  }
  if (batches > 1) return "a result with two batch axes, expected one label for the batch";
  return TensorType{a.dtype, Shape(std::move(dims))};
}

/// The gradient of one operand contracts the seed with the other operand: every label of it stands in one of
/// them, and none of the others is left over.
void contract_vjp(VjpScope& scope) {
  const ContractLabels labels = std::get<ContractedAxes>(scope.attributes()).labels;
  const Expr a = scope.operand(0);
  const Expr b = scope.operand(1);
  scope.add_gradient(0,
                     contract(scope.seed(), b, fmt::format("{},{}->{}", labels.result, labels.b, labels.a)));
  scope.add_gradient(1,
                     contract(scope.seed(), a, fmt::format("{},{}->{}", labels.result, labels.a, labels.b)));
}

std::string_view contract_word(const Attributes& attributes) {
  const ContractLabels& labels = std::get<ContractedAxes>(attributes).labels;
  const bool has_free_a = !labels.free_a.empty();
  const bool has_free_b = !labels.free_b.empty();
  if (labels.contracted.empty())
    return labels.batch.empty() && has_free_a && has_free_b ? "outer" : "contract";
  if (has_free_a && has_free_b) return "matmul";
  return has_free_a || has_free_b ? "matvec" : "dot";
}

/// Loads both operands at result indices and contracted indices.
class Product {
 public:
  Product(ElementScope& scope, const ContractLabels& labels) : scope_(scope), labels_(labels) {}

  Scalar multiply() const { return scope_.arg(0, at(labels_.a, {})) * scope_.arg(1, at(labels_.b, {})); }

  /// carried + a * b at the contracted indices `k`, with one rounding where the target has it.
  Scalar multiply_add(std::span<const loop::Index> k, Scalar carried) const {
    return scope_.emit(Op::kFma, {scope_.arg(0, at(labels_.a, k)), scope_.arg(1, at(labels_.b, k)), carried});
  }

 private:
  Indices at(std::string_view axes, std::span<const loop::Index> k) const {
    Indices indices;
    for (const char label : axes) {
      const std::size_t kept = labels_.result.find(label);
      const bool is_kept = kept != std::string::npos;
      indices.push_back(is_kept ? scope_.index()[kept] : k[labels_.contracted.find(label)]);
    }
    return indices;
  }

  ElementScope& scope_;
  const ContractLabels& labels_;
};

Scalars add_scalars(std::span<const Scalar> left, std::span<const Scalar> right) {
  return {left[0] + right[0]};
}

Scalar contract_element(ElementScope& scope) {
  const ContractLabels& labels = std::get<ContractedAxes>(scope.node().attributes).labels;
  const Product product(scope, labels);
  if (labels.contracted.empty()) return product.multiply();
  const Shape& a = scope.operand_type(0).shape;
  const Shape& b = scope.operand_type(1).shape;
  const DType dtype = scope.node().type.dtype;
  std::vector<std::int64_t> extents = contracted_extents(labels, a);
  if (extents.back() > 1 && has_defect(Defect::kContractTail)) --extents.back();
  const ElementScope::Step step = [&](std::span<const loop::Index> at, std::span<const Scalar> carried) {
    return Scalars{product.multiply_add(at, carried[0])};
  };
  const ElementScope::Combine add = add_scalars;
  const Scalar none = scope.constant(-0.0, dtype);
  const loop::SumForm form = sum_form(labels, a, b);
  return scope.reduce({.extents = extents,
                       .form = form,
                       .initial = {form == loop::SumForm::kChains ? scope.constant(0, dtype) : none},
                       .none = {none},
                       .step = step,
                       .combine = add})[0];
}

SampleCase contraction(const Shape& a, const Shape& b, std::string_view labels) {
  return {{{DType::kF64, a}, {DType::kF64, b}}, ContractedAxes{contract_labels(labels)}, {}};
}

std::vector<SampleCase> contract_cases() {
  return {contraction({5}, {5}, "i,i->"),
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
}

}  // namespace

constinit const OpDef ops::contract{
    .name = "contract",
    .doc =
        "The sum of products over the axes that `labels` name in both operands and not in the result: "
        "`bi,oi->bo`. It prints as matmul, matvec, outer or dot where it is one. A label stands at most once "
        "in an operand.",
    .formula = "da = contract(dy, b) to the labels of a; db = contract(dy, a) to the labels of b",
    .arity = 2,
    .attributes = attributes_like<ContractedAxes>,
    .type = contract_type,
    .vjp = contract_vjp,
    .lowering = Nest{contract_element},
    .cases = contract_cases,
    .word = contract_word,
};

}  // namespace dlg
