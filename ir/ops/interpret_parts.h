// Owns what the parts of the interpreter share: one call of an op on tensors, and walks over their places.
#pragma once

#include <algorithm>

#include "ir/loop/sum_order.h"
#include "ir/ops/interpret.h"
#include "support/check.h"

namespace dlg {

using Place = std::vector<std::int64_t>;

/// One node with the values of its operands; `shape` is the result's, with the rows in place of the batch.
template <class Number>
struct Call {
  const Graph& graph;
  const Node& node;
  const Environment<Number>& environment;
  std::vector<const Tensor<Number>*> operands;
  Shape shape;

  const Tensor<Number>& operand(std::size_t i) const { return *operands[i]; }
  /// The most additions that a term of a sum over axes of these declared extents goes through.
  double additions(const std::vector<std::int64_t>& extents, loop::SumForm form) const {
    const std::int64_t batch = std::max(graph.batch, environment.rows);
    return extents.empty() ? 0 : static_cast<double>(loop::additions_on_path(extents, form, batch));
  }
};

template <class Number>
using Evaluator = Tensor<Number> (*)(const Call<Number>&);

template <class Number>
struct EvaluatorRow {
  const OpDef* op;
  Evaluator<Number> evaluate;
};

/// The evaluator of `op`, or null if the part does not know it.
template <class Number>
Evaluator<Number> leaf_evaluator(const OpDef& op);
template <class Number>
Evaluator<Number> map_evaluator(const OpDef& op);
template <class Number>
Evaluator<Number> reduce_evaluator(const OpDef& op);
template <class Number>
Evaluator<Number> shape_evaluator(const OpDef& op);
template <class Number>
Evaluator<Number> index_evaluator(const OpDef& op);
template <class Number>
Evaluator<Number> contract_evaluator(const OpDef& op);

#define DLG_FOR_EACH_NUMBER(finder)                                \
  template Evaluator<double> finder<double>(const OpDef&);         \
  template Evaluator<Dual> finder<Dual>(const OpDef&);             \
  template Evaluator<SecondDual> finder<SecondDual>(const OpDef&); \
  template Evaluator<Bound> finder<Bound>(const OpDef&);

template <class Rows>
auto find_evaluator(const Rows& rows, const OpDef& op) -> decltype(rows[0].evaluate) {
  for (const auto& row : rows) {
    if (row.op == &op) return row.evaluate;
  }
  return nullptr;
}

/// Row-major.
inline std::size_t offset_of(const Shape& shape, const Place& place) {
  std::int64_t offset = 0;
  for (std::size_t axis = 0; axis < shape.rank(); ++axis) offset = offset * shape[axis] + place[axis];
  return static_cast<std::size_t>(offset);
}

/// Calls `visit` with every place of `shape` in row-major order.
template <class Visit>
void for_each_place(const Shape& shape, const Visit& visit) {
  Place place(shape.rank(), 0);
  for (std::int64_t left = shape.elements(); left > 0; --left) {
    visit(place);
    for (std::size_t axis = shape.rank(); axis-- > 0;) {
      if (++place[axis] < shape[axis]) break;
      place[axis] = 0;
    }
  }
}

/// The result whose element at each place is `element(place)`.
template <class Number, class Element>
Tensor<Number> tabulate(const Shape& shape, const Element& element) {
  Tensor<Number> result{shape, {}};
  result.elements.reserve(static_cast<std::size_t>(shape.elements()));
  for_each_place(shape, [&](const Place& place) { result.elements.push_back(element(place)); });
  return result;
}

template <class Number>
const Number& element_at(const Tensor<Number>& tensor, const Place& place) {
  return tensor.elements[offset_of(tensor.shape, place)];
}

}  // namespace dlg
