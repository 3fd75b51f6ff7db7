// Owns the reductions: axes combined away in lanes, in the order of all sums.
#include <array>
#include <limits>

#include "ir/graph/graph.h"
#include "ir/ops/expr.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::Op;
using Scalars = ElementScope::Scalars;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Joins carried values with one instruction that is also the step of the reduction.
template <Op op>
Scalar lanes_of(ElementScope& scope, double identity) {
  const Shape& shape = scope.operand_type(0).shape;
  const std::vector<std::int64_t>& axes = std::get<OverAxes>(scope.node().attributes).axes;
  const Indices kept(scope.index().begin(), scope.index().end());
  const ElementScope::Step step = [&](std::span<const loop::Index> at, std::span<const Scalar> carried) {
    return Scalars{scope.emit(op, {carried[0], scope.arg(0, merged_indices(shape, kept, at, axes))})};
  };
  const ElementScope::Combine combine = [&](std::span<const Scalar> left, std::span<const Scalar> right) {
    return Scalars{scope.emit(op, {left[0], right[0]})};
  };
  const double start = has_defect(Defect::kStartsFromZero) ? 0 : identity;
  const DType dtype = scope.node().type.dtype;
  const std::vector<std::int64_t> extents = extents_of(shape, axes);
  return scope.reduce({.extents = extents,
                       .form = loop::SumForm::kLanes,
                       .initial = {scope.constant(start, dtype)},
                       .none = {scope.constant(identity, dtype)},
                       .step = step,
                       .combine = combine})[0];
}

/// Of two (value, index) pairs the one with the larger value, NaN being the largest, and of equals the first.
Scalars larger_pair(std::span<const Scalar> left, std::span<const Scalar> right) {
  ElementScope& scope = *left[0].scope;
  const Scalar left_nan = test(Op::kNe, left[0], left[0]);
  const Scalar right_nan = test(Op::kNe, right[0], right[0]);
  const Scalar not_left_nan = scope.emit(Op::kNot, {left_nan}, DType::kBool);
  const Scalar only_right_nan = test(Op::kAnd, right_nan, not_left_nan);
  const Scalar is_larger = test(Op::kOr, test(Op::kGt, right[0], left[0]), only_right_nan);
  const Scalar is_equal =
      test(Op::kOr, test(Op::kEq, left[0], right[0]), test(Op::kAnd, left_nan, right_nan));
  const Scalar is_earlier = test(Op::kAnd, is_equal, test(Op::kLt, right[1], left[1]));
  const Scalar takes_right = test(Op::kOr, is_larger, is_earlier);
  return {choose(takes_right, right[0], left[0]), choose(takes_right, right[1], left[1])};
}

Scalar argmax_element(ElementScope& scope) {
  const TensorType& operand = scope.operand_type(0);
  const AlongAxis along = std::get<AlongAxis>(scope.node().attributes);
  const std::vector<std::int64_t> axes{along.axis};
  const Indices kept(scope.index().begin(), scope.index().end());
  const ElementScope::Step step = [&](std::span<const loop::Index> at, std::span<const Scalar> carried) {
    const Scalar x = scope.arg(0, merged_indices(operand.shape, kept, at, axes));
    return larger_pair(carried, Scalars{x, scope.index_value(at[0])});
  };
  const std::int64_t extent = operand.shape[along.index()];
  // The last index: whatever is compared with a missing element comes first or is that element.
  const Scalar last = extent == kBatch ? scope.rows() - scope.constant(1, DType::kI64)
                                       : scope.constant(static_cast<double>(extent) - 1, DType::kI64);
  const Scalars initial{scope.constant(-kInfinity, operand.dtype), last};
  const std::array extents{extent};
  const ElementScope::Combine combine = larger_pair;
  const Scalars best = scope.reduce({.extents = extents,
                                     .form = loop::SumForm::kLanes,
                                     .initial = initial,
                                     .none = initial,
                                     .step = step,
                                     .combine = combine});
  return to_dtype(best[1], scope.node().type.dtype);
}

Interval argmax_range(const RangeQuery& query) {
  const Shape shape = query.graph.type(query.node.operands[0]).shape.at(query.graph.batch);
  return Interval::below(shape[std::get<AlongAxis>(query.node.attributes).index()]);
}

TypeResult argmax_type(const TypeQuery& query) {
  const std::vector<std::int64_t> axes{std::get<AlongAxis>(query.attributes).axis};
  TypeResult result = reduced_float(query.operands[0], axes);
  if (TensorType* type = std::get_if<TensorType>(&result)) type->dtype = DType::kI32;
  return result;
}

/// How many elements `axes` of `shape` have, as a number of `dtype`: a constant, times the rows if the batch
/// is among them.
Expr count_of(Builder& builder, const Shape& shape, const std::vector<std::int64_t>& axes, DType dtype) {
  double fixed = 1;
  bool has_rows = false;
  for (const std::int64_t extent : extents_of(shape, axes)) {
    if (extent == kBatch) {
      has_rows = true;
    } else {
      fixed *= static_cast<double>(extent);
    }
  }
  const Expr fixed_count = constant(builder, fixed, TensorType{dtype, {}});
  if (!has_rows) return fixed_count;
  const Expr rows = batch_rows(builder, dtype);
  return fixed == 1 ? rows : rows * fixed_count;
}

ValueId expand_mean(CompositeScope& scope) {
  const Expr x = scope.operand(0);
  const Shape shape = x.shape();
  const Expr total = sum(x, std::get<OverAxes>(scope.attributes()).axes);
  const Expr count =
      count_of(scope.builder(), shape, std::get<OverAxes>(scope.attributes()).axes, total.type().dtype);
  // A constant needs no broadcast.
  const auto* fixed = std::get_if<ConstantElements>(&scope.builder().graph()[count.value].attributes);
  if (fixed == nullptr) return (total / count).value;
  const double number = fixed->value;
  return (total / constant_like(total, number)).value;
}

void mean_vjp(VjpScope& scope) {
  const Shape shape = scope.operand(0).shape();
  const std::vector<std::int64_t> axes = std::get<OverAxes>(scope.attributes()).axes;
  const Expr count = count_of(scope.builder(), shape, axes, scope.seed().type().dtype);
  scope.add_gradient(0, expand_axes(scope.seed() / count, shape, axes));
}

void sum_vjp(VjpScope& scope) {
  const Shape shape = scope.operand(0).shape();
  const std::vector<std::int64_t> axes = std::get<OverAxes>(scope.attributes()).axes;
  scope.add_gradient(0, expand_axes(scope.seed(), shape, axes));
}

/// The seed, shared equally by the elements that are the extremum (by the NaN elements if it is NaN).
void extremum_vjp(VjpScope& scope) {
  const Expr x = scope.operand(0);
  const Shape shape = x.shape();
  const std::vector<std::int64_t> axes = std::get<OverAxes>(scope.attributes()).axes;
  const Expr zero = constant_like(x, 0);
  const Expr one = constant_like(x, 1);
  const Expr is_nan = select(compare("!=", x, x), one, zero);
  const Expr is_extremum = select(compare("==", x, expand_axes(scope.result(), shape, axes)), one, is_nan);
  const Expr share = expand_axes(scope.seed() / sum(is_extremum, axes), shape, axes);
  scope.add_gradient(0, select(compare(">", is_extremum, zero), share, zero));
}

std::vector<SampleCase> reduction_cases() {
  return {{{{DType::kF64, {7}}}, OverAxes{{0}}, {}},
          {{{DType::kF64, {3, 5}}}, OverAxes{{1}}, {}},
          {{{DType::kF64, {3, 5}}}, OverAxes{{0}}, {}},
          {{{DType::kF64, {2, 3, 4}}}, OverAxes{{0, 2}}, {}},
          {{{DType::kF64, {37, 2}}}, OverAxes{{0, 1}}, {}},
          {{{DType::kF64, {kBatch, 4}}}, OverAxes{{1}}, {}},
          {{{DType::kF64, {kBatch, 4}}}, OverAxes{{0}}, {}},
          {{{DType::kF64, {kBatch, 2, 3}}}, OverAxes{{0, 1, 2}}, {}}};
}

std::vector<SampleCase> argmax_cases() {
  return {{{{DType::kF64, {7}}}, AlongAxis{0}, {}},
          {{{DType::kF64, {3, 35}}}, AlongAxis{1}, {}},
          {{{DType::kF64, {3, 5}}}, AlongAxis{0}, {}},
          {{{DType::kF64, {kBatch, 4}}}, AlongAxis{1}, {}}};
}

}  // namespace

constinit const OpDef ops::sum{
    .name = "sum",
    .doc = "The sum over `axes`, which the result does not have any more.",
    .formula = "dx = dy, repeated along the axes",
    .arity = 1,
    .attributes = attributes_like<OverAxes>,
    .type = float_reduction,
    .vjp = sum_vjp,
    .lowering = Reduce{[](ElementScope& s) { return lanes_of<Op::kAdd>(s, -0.0); }},
    .cases = reduction_cases,
};

constinit const OpDef ops::mean{
    .name = "mean",
    .doc = "The sum over `axes` divided by their number of elements; over the batch, by the valid rows.",
    .formula = "dx = dy / n, repeated along the axes",
    .arity = 1,
    .attributes = attributes_like<OverAxes>,
    .type = float_reduction,
    .vjp = mean_vjp,
    .lowering = Composite{expand_mean},
    .cases = reduction_cases,
};

constinit const OpDef ops::reduce_max{
    .name = "reduce_max",
    .doc = "The largest element over `axes`; NaN wins.",
    .formula = "dy goes to the largest element; equal ones (and several NaN) share it equally",
    .arity = 1,
    .attributes = attributes_like<OverAxes>,
    .type = float_reduction,
    .vjp = extremum_vjp,
    .lowering = Reduce{[](ElementScope& s) { return lanes_of<Op::kMax>(s, -kInfinity); }},
    .sample = {.margin = 0.05},
    .cases = reduction_cases,
};

constinit const OpDef ops::reduce_min{
    .name = "reduce_min",
    .doc = "The smallest element over `axes`; NaN wins.",
    .formula = "dy goes to the smallest element; equal ones (and several NaN) share it equally",
    .arity = 1,
    .attributes = attributes_like<OverAxes>,
    .type = float_reduction,
    .vjp = extremum_vjp,
    .lowering = Reduce{[](ElementScope& s) { return lanes_of<Op::kMin>(s, kInfinity); }},
    .sample = {.margin = 0.05},
    .cases = reduction_cases,
};

constinit const OpDef ops::argmax{
    .name = "argmax",
    .doc = "The index (i32) of the largest element along `axis`: the first of equals; NaN counts as largest.",
    .formula = "dx = 0",
    .arity = 1,
    .attributes = attributes_like<AlongAxis>,
    .type = argmax_type,
    .vjp = no_gradient,
    .lowering = Reduce{argmax_element},
    .range = argmax_range,
    .sample = {.margin = 0.05},
    .cases = argmax_cases,
};

}  // namespace dlg
