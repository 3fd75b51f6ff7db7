// Owns the interpretation of the contraction: a plain ascending sum per element.
#include "ir/ops/contract_sums.h"
#include "ir/ops/interpret_parts.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// How far one step along each of `labels` moves in an operand; 0 for a label it does not have.
std::vector<std::int64_t> label_strides(const std::string& labels, const std::string& operand,
                                        const Shape& shape) {
  std::vector<std::int64_t> strides;
  for (const char label : labels) {
    const std::size_t axis = operand.find(label);
    std::int64_t stride = axis == std::string::npos ? 0 : 1;
    for (std::size_t i = axis; stride != 0 && i + 1 < shape.rank(); ++i) stride *= shape[i + 1];
    strides.push_back(stride);
  }
  return strides;
}

std::vector<std::size_t> offsets(const Shape& shape, const std::vector<std::int64_t>& strides) {
  std::vector<std::size_t> all;
  for_each_place(shape, [&](const Place& place) {
    std::int64_t offset = 0;
    for (std::size_t i = 0; i < place.size(); ++i) offset += place[i] * strides[i];
    all.push_back(static_cast<std::size_t>(offset));
  });
  return all;
}

template <class Number>
Number product_of(const Number& a, const Number& b) {
  Sum<Number> sum(-0.0);
  sum.add_product(a, b);
  return sum.result();
}

template <class Number>
Tensor<Number> contract_value(const Call<Number>& call) {
  const ContractLabels& labels = std::get<ContractedAxes>(call.node.attributes).labels;
  const Tensor<Number>& a = call.operand(0);
  const Tensor<Number>& b = call.operand(1);
  const Shape inner(contracted_extents(labels, a.shape));
  const auto kept_a = offsets(call.shape, label_strides(labels.result, labels.a, a.shape));
  const auto kept_b = offsets(call.shape, label_strides(labels.result, labels.b, b.shape));
  const auto inner_a = offsets(inner, label_strides(labels.contracted, labels.a, a.shape));
  const auto inner_b = offsets(inner, label_strides(labels.contracted, labels.b, b.shape));
  const Shape& declared_a = call.graph.type(call.node.operands[0]).shape;
  const Shape& declared_b = call.graph.type(call.node.operands[1]).shape;
  const double additions =
      call.additions(contracted_extents(labels, declared_a), sum_form(labels, declared_a, declared_b));
  Tensor<Number> result{call.shape, {}};
  for (std::size_t i = 0; i < kept_a.size(); ++i) {
    if (labels.contracted.empty()) {
      result.elements.push_back(product_of(a.elements[kept_a[i]], b.elements[kept_b[i]]));
      continue;
    }
    Sum<Number> sum(0, additions);
    for (std::size_t k = 0; k < inner_a.size(); ++k) {
      sum.add_product(a.elements[kept_a[i] + inner_a[k]], b.elements[kept_b[i] + inner_b[k]]);
    }
    result.elements.push_back(sum.result());
  }
  return result;
}

}  // namespace

template <class Number>
Evaluator<Number> contract_evaluator(const OpDef& op) {
  return &op == &ops::contract ? contract_value<Number> : nullptr;
}

DLG_FOR_EACH_NUMBER(contract_evaluator)

}  // namespace dlg
