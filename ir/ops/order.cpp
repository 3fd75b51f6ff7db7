// Owns the place of elements in the order of their sizes.
#include <array>

#include "ir/graph/graph.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"

namespace dlg {
namespace {

using loop::Op;
using Scalars = ElementScope::Scalars;

TypeResult midrank_type(const TypeQuery& query) {
  const TensorType& operand = query.operands[0];
  const std::vector<std::int64_t> axes{std::get<AlongAxis>(query.attributes).axis};
  if (const auto reason = bad_axes(axes, operand.shape.rank())) return *reason;
  return float_elementwise(query);
}

/// Every element is compared with all: 1 for a smaller one, 1/2 for an equal one, itself among them.
Scalar midrank_element(ElementScope& scope) {
  const TensorType& operand = scope.operand_type(0);
  const std::size_t axis = std::get<AlongAxis>(scope.node().attributes).index();
  const Indices here(scope.index().begin(), scope.index().end());
  const Scalar x = scope.arg(0, here);
  const Scalar half = scope.constant(0.5, operand.dtype);
  const Scalar zero = scope.constant(0, operand.dtype);
  const ElementScope::Step step = [&](std::span<const loop::Index> at, std::span<const Scalar> sums) {
    Indices there = here;
    there[axis] = at[0];
    const Scalar other = scope.arg(0, there);
    const Scalar is_smaller = choose(test(Op::kLt, other, x), half, zero);
    const Scalar is_smaller_or_equal = choose(test(Op::kLe, other, x), half, zero);
    return Scalars{sums[0] + (is_smaller + is_smaller_or_equal)};
  };
  const ElementScope::Combine combine = [](std::span<const Scalar> left, std::span<const Scalar> right) {
    return Scalars{left[0] + right[0]};
  };
  const std::array extents{operand.shape[axis]};
  const Scalar below = scope.reduce(
      {.extents = extents, .initial = {zero}, .none = {zero}, .step = step, .combine = combine})[0];
  return choose(test(Op::kEq, x, x), below + half, x);
}

std::vector<SampleCase> midrank_cases() {
  return {{{{DType::kF64, {7}}}, AlongAxis{0}, {}},
          {{{DType::kF64, {3, 35}}}, AlongAxis{1}, {}},
          {{{DType::kF64, {kBatch}}}, AlongAxis{0}, {}},
          {{{DType::kF64, {kBatch, 4}}}, AlongAxis{1}, {}}};
}

}  // namespace

constinit const OpDef ops::midrank{
    .name = "midrank",
    .doc =
        "The place of each element along `axis` in ascending order, from 1 on; equal ones share the mean of "
        "their places. NaN stays NaN and counts for no other. Each is compared with all.",
    .formula = "dx = 0",
    .arity = 1,
    .attributes = attributes_like<AlongAxis>,
    .type = midrank_type,
    .vjp = no_gradient,
    .lowering = Nest{midrank_element},
    .sample = {.margin = 0.05},
    .cases = midrank_cases,
};

}  // namespace dlg
