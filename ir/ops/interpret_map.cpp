// Owns the interpretation of element-wise ops.
#include <array>

#include "ir/ops/functions.h"
#include "ir/ops/interpret_parts.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

template <class Number>
Tensor<Number> unary_value(const Call<Number>& call) {
  const UnaryFunction& function = *unary_function(*call.node.op);
  Tensor<Number> result{call.shape, {}};
  for (const Number& x : call.operand(0).elements) result.elements.push_back(apply(function, x));
  return result;
}

template <class Number>
Tensor<Number> binary_value(const Call<Number>& call) {
  const BinaryFunction& function = *binary_function(*call.node.op);
  const std::vector<Number>& a = call.operand(0).elements;
  const std::vector<Number>& b = call.operand(1).elements;
  Tensor<Number> result{call.shape, {}};
  for (std::size_t i = 0; i < a.size(); ++i) result.elements.push_back(apply(function, a[i], b[i]));
  return result;
}

template <class Number>
Tensor<Number> compare_value(const Call<Number>& call) {
  const RelationFunction holds = relation_function(std::get<ComparedBy>(call.node.attributes).relation);
  const std::vector<Number>& a = call.operand(0).elements;
  const std::vector<Number>& b = call.operand(1).elements;
  Tensor<Number> result{call.shape, {}};
  for (std::size_t i = 0; i < a.size(); ++i) result.elements.push_back(compare(holds, a[i], b[i]));
  return result;
}

template <class Number>
Tensor<Number> select_value(const Call<Number>& call) {
  const std::vector<Number>& condition = call.operand(0).elements;
  const std::vector<Number>& a = call.operand(1).elements;
  const std::vector<Number>& b = call.operand(2).elements;
  Tensor<Number> result{call.shape, {}};
  for (std::size_t i = 0; i < a.size(); ++i) result.elements.push_back(choose(condition[i], a[i], b[i]));
  return result;
}

template <class Number>
Tensor<Number> cast_value(const Call<Number>& call) {
  Tensor<Number> result{call.shape, {}};
  for (const Number& x : call.operand(0).elements) {
    result.elements.push_back(cast_number(x, call.node.type.dtype));
  }
  return result;
}

template <class Number>
constexpr std::array<EvaluatorRow<Number>, 3> kMaps{{{&ops::compare, compare_value<Number>},
                                                     {&ops::select_, select_value<Number>},
                                                     {&ops::cast, cast_value<Number>}}};

}  // namespace

template <class Number>
Evaluator<Number> map_evaluator(const OpDef& op) {
  if (unary_function(op) != nullptr) return unary_value<Number>;
  if (binary_function(op) != nullptr) return binary_value<Number>;
  return find_evaluator(kMaps<Number>, op);
}

DLG_FOR_EACH_NUMBER(map_evaluator)

}  // namespace dlg
