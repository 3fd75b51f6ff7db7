// Owns the ops that move elements without changing them: broadcast, reshape, transpose, slice, pad,
// concat, flip.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "ir/ops/expr.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"
#include "support/arithmetic.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::Op;

std::optional<std::string> other_dtype(const TypeQuery& query) {
  if (query.operands[0].dtype == query.declared.dtype) return std::nullopt;
  return fmt::format("a declared element type {}, expected that of the operand, {}",
                     dtype_name(query.declared.dtype), dtype_name(query.operands[0].dtype));
}

// broadcast

TypeResult broadcast_type(const TypeQuery& query) {
  const Shape& from = query.operands[0].shape;
  const Shape& to = query.declared.shape;
  const std::vector<std::int64_t>& axes = std::get<AxisMap>(query.attributes).axes;
  if (const auto reason = other_dtype(query)) return *reason;
  if (axes.size() != from.rank()) {
    return fmt::format("{} axes for an operand of shape {}, expected one for each axis", axes.size(),
                       shape_text(from));
  }
  if (const auto reason = bad_axes(axes, to.rank())) return *reason;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (from[i] == to[static_cast<std::size_t>(axes[i])]) continue;
    return fmt::format("shape {} does not fit into {}: axis {} differs", shape_text(from), shape_text(to),
                       axes[i]);
  }
  return query.declared;
}

Scalar broadcast_element(ElementScope& scope) {
  Indices at;
  for (const std::int64_t axis : std::get<AxisMap>(scope.node().attributes).axes) {
    at.push_back(scope.index()[static_cast<std::size_t>(axis)]);
  }
  return scope.arg(0, std::move(at));
}

void broadcast_vjp(VjpScope& scope) {
  const std::vector<std::int64_t> copies =
      other_axes(scope.result().shape().rank(), std::get<AxisMap>(scope.attributes()).axes);
  if (has_defect(Defect::kLostReduce)) return scope.add_gradient(0, scope.seed());
  if (has_defect(Defect::kAveragedCopies)) return scope.add_gradient(0, mean(scope.seed(), copies));
  scope.add_gradient(0, sum(scope.seed(), copies));
}

std::vector<SampleCase> broadcast_cases() {
  return {{{{DType::kF64, {}}}, AxisMap{}, {DType::kF64, {3, 4}}},
          {{{DType::kF64, {5}}}, AxisMap{{1}}, {DType::kF64, {3, 5}}},
          {{{DType::kF64, {3}}}, AxisMap{{0}}, {DType::kF64, {3, 5}}},
          {{{DType::kF64, {5}}}, AxisMap{{0}}, {DType::kF64, {5, 5}}},
          {{{DType::kF64, {5}}}, AxisMap{{1}}, {DType::kF64, {5, 5}}},
          {{{DType::kF64, {2, 4}}}, AxisMap{{0, 2}}, {DType::kF64, {2, 3, 4}}},
          {{{DType::kF64, {1, 4}}}, AxisMap{{1, 2}}, {DType::kF64, {kBatch, 1, 4}}},
          {{{DType::kF64, {kBatch}}}, AxisMap{{0}}, {DType::kF64, {kBatch, 4}}}};
}

// reshape

/// The products of the extents before and after the batch; without a batch all of them are after it.
struct Sides {
  bool has_batch = false;
  std::int64_t before = 1;
  std::int64_t after = 1;
  friend bool operator==(const Sides&, const Sides&) = default;
};

Sides sides_of(const Shape& shape) {
  Sides sides;
  for (const std::int64_t dim : shape.dims()) {
    if (dim == kBatch) {
      sides = {true, sides.after, 1};
    } else {
      sides.after *= dim;
    }
  }
  return sides;
}

TypeResult reshape_type(const TypeQuery& query) {
  const Shape& from = query.operands[0].shape;
  const Shape& to = query.declared.shape;
  if (const auto reason = other_dtype(query)) return *reason;
  if (sides_of(from) == sides_of(to)) return query.declared;
  if (from.has_batch() || to.has_batch()) {
    return fmt::format("shape {} from {}: the batch axis stays where it is and each row keeps its elements",
                       shape_text(to), shape_text(from));
  }
  return fmt::format("shape {} has {} elements, the operand's {} has {}", shape_text(to), to.elements(),
                     shape_text(from), from.elements());
}

/// Row-major strides within extents [first, last).
std::vector<std::int64_t> group_strides(const Shape& shape, std::size_t first, std::size_t last) {
  std::vector<std::int64_t> strides(last - first, 1);
  for (std::size_t i = last - first; i-- > 1;) strides[i - 1] = strides[i] * shape[first + i];
  return strides;
}

/// Takes `linear`, an index into operand axes [first, last) in row-major order, apart.
void split_index(ElementScope& scope, const loop::Index& linear, std::size_t first, Indices& at) {
  const Shape& from = scope.operand_type(0).shape;
  Scalar rest = scope.index_value(linear);
  for (std::size_t axis = at.size(); axis-- > first + 1;) {
    const Scalar extent = scope.constant(static_cast<double>(from[axis]), DType::kI64);
    const Scalar quotient = rest / extent;
    at[axis] = dynamic_index(rest - quotient * extent);
    rest = quotient;
  }
  at[first] = dynamic_index(rest);
}

/// Walks both shapes from the left in the smallest groups of axes with equal products. Where a group has one
/// operand axis, its index is affine in the result's; else it is taken apart by division.
Scalar reshape_element(ElementScope& scope) {
  const Shape& from = scope.operand_type(0).shape;
  const Shape& to = scope.node().type.shape;
  Indices at;
  std::size_t j = 0;
  while (at.size() < from.rank()) {
    const std::size_t first = at.size();
    if (from[first] == 1) {
      at.push_back(loop::fixed_index(0));
      continue;
    }
    while (to[j] == 1) ++j;
    const std::size_t first_to = j;
    std::int64_t from_count = from[first];
    std::int64_t to_count = to[j++];
    at.emplace_back();
    while (from_count != to_count) {
      if (from_count < to_count) {
        from_count *= from[at.size()];
        at.emplace_back();
      } else {
        to_count *= to[j++];
      }
    }
    const loop::Index linear =
        combined_index(scope, scope.index().subspan(first_to, j - first_to), group_strides(to, first_to, j));
    if (at.size() == first + 1) {
      at[first] = linear;
    } else {
      split_index(scope, linear, first, at);
    }
  }
  return scope.arg(0, std::move(at));
}

void reshape_vjp(VjpScope& scope) {
  const Shape shape = scope.operand(0).shape();
  scope.add_gradient(0, reshape(scope.seed(), shape));
}

std::vector<SampleCase> reshape_cases() {
  return {{{{DType::kF64, {6}}}, {}, {DType::kF64, {2, 3}}},
          {{{DType::kF64, {2, 3, 4}}}, {}, {DType::kF64, {6, 4}}},
          {{{DType::kF64, {4, 6}}}, {}, {DType::kF64, {3, 8}}},
          {{{DType::kF64, {1}}}, {}, {DType::kF64, {}}},
          {{{DType::kF64, {2, 1, 3}}}, {}, {DType::kF64, {1, 3, 2, 1}}},
          {{{DType::kF64, {kBatch, 2, 3}}}, {}, {DType::kF64, {kBatch, 6}}},
          {{{DType::kF64, {kBatch, 6}}}, {}, {DType::kF64, {kBatch, 1, 3, 2}}}};
}

// transpose

TypeResult transpose_type(const TypeQuery& query) {
  const TensorType& operand = query.operands[0];
  const std::vector<std::int64_t>& permutation = std::get<AxisMap>(query.attributes).axes;
  std::vector<std::int64_t> sorted = permutation;
  std::sort(sorted.begin(), sorted.end());
  const bool is_complete = permutation.size() == operand.shape.rank();
  if (!is_complete || bad_axes(sorted, operand.shape.rank())) {
    return fmt::format("axes [{}] for an operand of shape {}, expected each axis once",
                       fmt::join(permutation, ", "), shape_text(operand.shape));
  }
  std::vector<std::int64_t> dims;
  for (const std::int64_t axis : permutation) dims.push_back(operand.shape[static_cast<std::size_t>(axis)]);
  return TensorType{operand.dtype, Shape(std::move(dims))};
}

Scalar transpose_element(ElementScope& scope) {
  const std::vector<std::int64_t>& permutation = std::get<AxisMap>(scope.node().attributes).axes;
  Indices at(permutation.size());
  for (std::size_t i = 0; i < at.size(); ++i) {
    at[static_cast<std::size_t>(permutation[i])] = scope.index()[i];
  }
  return scope.arg(0, std::move(at));
}

void transpose_vjp(VjpScope& scope) {
  const std::vector<std::int64_t> permutation = std::get<AxisMap>(scope.attributes()).axes;
  std::vector<std::int64_t> inverse(permutation.size());
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    inverse[static_cast<std::size_t>(permutation[i])] = static_cast<std::int64_t>(i);
  }
  scope.add_gradient(0, transpose(scope.seed(), std::move(inverse)));
}

std::vector<SampleCase> transpose_cases() {
  return {{{{DType::kF64, {3, 5}}}, AxisMap{{1, 0}}, {}},
          {{{DType::kF64, {2, 3, 4}}}, AxisMap{{2, 0, 1}}, {}},
          {{{DType::kF64, {7}}}, AxisMap{{0}}, {}},
          {{{DType::kF64, {kBatch, 2, 3}}}, AxisMap{{0, 2, 1}}, {}}};
}

// slice and pad

/// The reason why a box of shape `box` at `starts` does not lie inside `whole`.
std::optional<std::string> bad_box(const std::vector<std::int64_t>& starts, const Shape& box,
                                   const Shape& whole) {
  if (starts.size() != whole.rank() || box.rank() != whole.rank()) {
    return fmt::format("a box of shape {} with {} starts in shape {}, expected one for each axis",
                       shape_text(box), starts.size(), shape_text(whole));
  }
  for (std::size_t axis = 0; axis < whole.rank(); ++axis) {
    const bool is_whole = box[axis] == whole[axis] && starts[axis] == 0;
    const bool is_static = box[axis] != kBatch && whole[axis] != kBatch;
    const bool is_inside = is_static && starts[axis] >= 0 && starts[axis] <= whole[axis] - box[axis];
    if (is_whole || (is_inside && box[axis] > 0)) continue;
    return fmt::format("a box of shape {} at [{}] does not lie inside shape {}", shape_text(box),
                       fmt::join(starts, ", "), shape_text(whole));
  }
  return std::nullopt;
}

TypeResult slice_type(const TypeQuery& query) {
  if (const auto reason = other_dtype(query)) return *reason;
  if (const auto reason = bad_box(std::get<BoxStarts>(query.attributes).starts, query.declared.shape,
                                  query.operands[0].shape)) {
    return *reason;
  }
  return query.declared;
}

Scalar slice_element(ElementScope& scope) {
  Indices at;
  for (std::size_t axis = 0; axis < scope.index().size(); ++axis) {
    at.push_back(
        loop::shifted(scope.index()[axis], std::get<BoxStarts>(scope.node().attributes).starts[axis]));
  }
  return scope.arg(0, std::move(at));
}

void slice_vjp(VjpScope& scope) {
  const Shape shape = scope.operand(0).shape();
  std::vector<std::int64_t> starts = std::get<BoxStarts>(scope.attributes()).starts;
  if (has_defect(Defect::kMisplacedSlice)) starts.assign(starts.size(), 0);
  scope.add_gradient(0, pad(scope.seed(), std::move(starts), shape));
}

std::vector<SampleCase> slice_cases() {
  return {{{{DType::kF64, {7}}}, BoxStarts{{2}}, {DType::kF64, {3}}},
          {{{DType::kF64, {7}}}, BoxStarts{{4}}, {DType::kF64, {3}}},
          {{{DType::kF64, {3, 5}}}, BoxStarts{{1, 0}}, {DType::kF64, {2, 5}}},
          {{{DType::kF64, {3, 5}}}, BoxStarts{{0, 4}}, {DType::kF64, {3, 1}}},
          {{{DType::kF64, {kBatch, 4}}}, BoxStarts{{0, 1}}, {DType::kF64, {kBatch, 2}}},
          {{{DType::kF64, {kBatch, 4}}}, BoxStarts{{0, 2}}, {DType::kF64, {kBatch, 2}}}};
}

TypeResult pad_type(const TypeQuery& query) {
  if (const auto reason = other_dtype(query)) return *reason;
  if (const auto reason = bad_box(std::get<BoxStarts>(query.attributes).starts, query.operands[0].shape,
                                  query.declared.shape)) {
    return *reason;
  }
  return query.declared;
}

/// Outside the box the operand is read at index 0, which is there, and the element is not used.
Scalar pad_element(ElementScope& scope) {
  const Shape& box = scope.operand_type(0).shape;
  const Scalar zero = scope.constant(0, DType::kI64);
  Indices at;
  std::optional<Scalar> is_inside;
  for (std::size_t axis = 0; axis < box.rank(); ++axis) {
    const loop::Index index =
        loop::shifted(scope.index()[axis], -std::get<BoxStarts>(scope.node().attributes).starts[axis]);
    at.push_back(index);
    if (box[axis] == scope.node().type.shape[axis]) continue;
    const Scalar place = scope.index_value(index);
    const Scalar extent = scope.constant(static_cast<double>(box[axis]), DType::kI64);
    const Scalar fits = test(Op::kAnd, test(Op::kGe, place, zero), test(Op::kLt, place, extent));
    at.back() = dynamic_index(choose(fits, place, zero));
    is_inside = is_inside ? test(Op::kAnd, *is_inside, fits) : fits;
  }
  const Scalar element = scope.arg(0, std::move(at));
  return is_inside ? choose(*is_inside, element, scope.constant(0, element.dtype)) : element;
}

void pad_vjp(VjpScope& scope) {
  const Shape shape = scope.operand(0).shape();
  scope.add_gradient(0, slice(scope.seed(), std::get<BoxStarts>(scope.attributes()).starts, shape));
}

std::vector<SampleCase> pad_cases() {
  return {{{{DType::kF64, {3}}}, BoxStarts{{2}}, {DType::kF64, {7}}},
          {{{DType::kF64, {2, 5}}}, BoxStarts{{1, 0}}, {DType::kF64, {3, 5}}},
          {{{DType::kF64, {3, 1}}}, BoxStarts{{0, 4}}, {DType::kF64, {3, 5}}},
          {{{DType::kF64, {kBatch, 2}}}, BoxStarts{{0, 1}}, {DType::kF64, {kBatch, 4}}},
          {{{DType::kF64, {kBatch, 2}}}, BoxStarts{{0, 2}}, {DType::kF64, {kBatch, 4}}}};
}

// concat

TypeResult concat_type(const TypeQuery& query) {
  if (query.operands.empty()) return "no operands, expected at least one";
  const TensorType& first = query.operands.front();
  const AlongAxis along = std::get<AlongAxis>(query.attributes);
  if (const auto reason = bad_axes({along.axis}, first.shape.rank())) return *reason;
  const std::size_t axis = along.index();
  std::vector<std::int64_t> dims = first.shape.dims();
  if (dims[axis] == kBatch) return "the batch as the axis to join along, expected another one";
  dims[axis] = 0;
  for (const TensorType& operand : query.operands) {
    std::vector<std::int64_t> others = operand.shape.dims();
    const bool has_axis = axis < others.size() && others[axis] != kBatch;
    const std::int64_t size = has_axis ? std::exchange(others[axis], dims[axis]) : 0;
    if (!has_axis || others != dims || operand.dtype != first.dtype) {
      return fmt::format("operands of types {} and {}, which differ in more than axis {}", type_text(first),
                         type_text(operand), axis);
    }
    const std::optional<std::int64_t> total = checked_add(dims[axis], size);
    if (!total) return "an axis beyond 64 bits";
    dims[axis] = *total;
  }
  return TensorType{first.dtype, Shape(std::move(dims))};
}

/// Outside of its part an operand is read at index 0, which is there, and the element is not used.
Scalar concat_element(ElementScope& scope) {
  const std::size_t axis = std::get<AlongAxis>(scope.node().attributes).index();
  const Scalar zero = scope.constant(0, DType::kI64);
  std::optional<Scalar> element;
  std::int64_t start = 0;
  for (std::size_t part = 0; part < scope.node().operands.size(); ++part) {
    const std::int64_t size = scope.operand_type(part).shape[axis];
    Indices at(scope.index().begin(), scope.index().end());
    at[axis] = loop::shifted(at[axis], -start);
    start += size;
    if (scope.node().operands.size() > 1) {
      const Scalar place = scope.index_value(at[axis]);
      const Scalar extent = scope.constant(static_cast<double>(size), DType::kI64);
      const Scalar fits = test(Op::kAnd, test(Op::kGe, place, zero), test(Op::kLt, place, extent));
      at[axis] = dynamic_index(choose(fits, place, zero));
      const Scalar own = scope.arg(part, std::move(at));
      element = element ? choose(fits, own, *element) : own;
    } else {
      element = scope.arg(part, std::move(at));
    }
  }
  return *element;
}

void concat_vjp(VjpScope& scope) {
  if (!is_float(scope.result().type().dtype)) return;
  const std::size_t axis = std::get<AlongAxis>(scope.attributes()).index();
  std::vector<std::int64_t> starts(scope.result().shape().rank(), 0);
  for (std::size_t part = 0; part < scope.operand_count(); ++part) {
    const Shape shape = scope.operand(part).shape();
    scope.add_gradient(part, slice(scope.seed(), starts, shape));
    starts[axis] += shape[axis];
  }
}

std::vector<SampleCase> concat_cases() {
  return {{{{DType::kF64, {2}}, {DType::kF64, {3}}}, AlongAxis{0}, {}},
          {{{DType::kF64, {4}}}, AlongAxis{0}, {}},
          {{{DType::kF64, {2, 1}}, {DType::kF64, {2, 3}}, {DType::kF64, {2, 2}}}, AlongAxis{1}, {}},
          {{{DType::kF64, {1, 3}}, {DType::kF64, {2, 3}}}, AlongAxis{0}, {}},
          {{{DType::kF64, {kBatch, 2}}, {DType::kF64, {kBatch, 2}}}, AlongAxis{1}, {}}};
}

Interval concat_range(const RangeQuery& query) {
  Interval all = Interval::none();
  for (const Interval& operand : query.operands) all = united(all, operand);
  return all;
}

// flip

TypeResult flip_type(const TypeQuery& query) {
  const TensorType& operand = query.operands[0];
  const std::vector<std::int64_t>& axes = std::get<OverAxes>(query.attributes).axes;
  if (axes.empty()) return "no axis to turn round, expected at least one";
  if (const auto reason = bad_axes(axes, operand.shape.rank())) return *reason;
  for (const std::int64_t axis : axes) {
    if (operand.shape[static_cast<std::size_t>(axis)] == kBatch) {
      return "the batch as an axis to turn round, expected another one";
    }
  }
  return operand;
}

Scalar flip_element(ElementScope& scope) {
  Indices at(scope.index().begin(), scope.index().end());
  for (const std::int64_t axis : std::get<OverAxes>(scope.node().attributes).axes) {
    loop::Index& index = at[static_cast<std::size_t>(axis)];
    const std::int64_t last = scope.operand_type(0).shape[static_cast<std::size_t>(axis)] - 1;
    const Scalar end = scope.constant(static_cast<double>(last), DType::kI64);
    index = dynamic_index(end - scope.index_value(index));
  }
  return scope.arg(0, std::move(at));
}

std::vector<SampleCase> flip_cases() {
  return {{{{DType::kF64, {5}}}, OverAxes{{0}}, {}},
          {{{DType::kF64, {3, 4}}}, OverAxes{{0}}, {}},
          {{{DType::kF64, {3, 4}}}, OverAxes{{0, 1}}, {}},
          {{{DType::kF64, {kBatch, 3}}}, OverAxes{{1}}, {}}};
}

}  // namespace

constinit const OpDef ops::broadcast{
    .name = "broadcast",
    .doc =
        "Operand axis i stands at result axis `axes`[i]; along the other axes the elements are repeated. "
        "An axis of size 1 does not stretch.",
    .formula = "dx = sum of dy over the other axes",
    .arity = 1,
    .attributes = attributes_like<AxisMap>,
    .declares_type = true,
    .type = broadcast_type,
    .vjp = broadcast_vjp,
    .lowering = Map{broadcast_element},
    .is_selection = true,
    .cases = broadcast_cases,
};

constinit const OpDef ops::reshape{
    .name = "reshape",
    .doc = "The same elements in row-major order in another shape; the batch axis stays where it is.",
    .formula = "dx = reshape(dy) to the shape of x",
    .arity = 1,
    .declares_type = true,
    .type = reshape_type,
    .vjp = reshape_vjp,
    .lowering = Map{reshape_element},
    .is_selection = true,
    .cases = reshape_cases,
};

constinit const OpDef ops::transpose{
    .name = "transpose",
    .doc = "Result axis i is operand axis `axes`[i].",
    .formula = "dx = transpose(dy) by the inverse order",
    .arity = 1,
    .attributes = attributes_like<AxisMap>,
    .type = transpose_type,
    .vjp = transpose_vjp,
    .lowering = Map{transpose_element},
    .is_selection = true,
    .cases = transpose_cases,
};

constinit const OpDef ops::slice{
    .name = "slice",
    .doc = "The box of the result's shape that begins at `starts`.",
    .formula = "dx = pad(dy) at the same place",
    .arity = 1,
    .attributes = attributes_like<BoxStarts>,
    .declares_type = true,
    .type = slice_type,
    .vjp = slice_vjp,
    .lowering = Map{slice_element},
    .is_selection = true,
    .cases = slice_cases,
};

constinit const OpDef ops::pad{
    .name = "pad",
    .doc = "The operand at `starts` in a tensor of zeros: the adjoint of slice.",
    .formula = "dx = slice(dy) at the same place",
    .arity = 1,
    .attributes = attributes_like<BoxStarts>,
    .declares_type = true,
    .type = pad_type,
    .vjp = pad_vjp,
    .lowering = Map{pad_element},
    .range = [](const RangeQuery& q) { return united(q.operands[0], Interval::of(0)); },
    .cases = pad_cases,
};

constinit const OpDef ops::concat{
    .name = "concat",
    .doc = "The operands one after the other along `axis`; their other axes and element types are equal.",
    .formula = "each operand gets its slice of dy",
    .arity = -1,
    .attributes = attributes_like<AlongAxis>,
    .type = concat_type,
    .vjp = concat_vjp,
    .lowering = Map{concat_element},
    .range = concat_range,
    .cases = concat_cases,
};

constinit const OpDef ops::flip{
    .name = "flip",
    .doc = "The elements in the opposite order along `axes`.",
    .formula = "dx = flip(dy) along the same axes",
    .arity = 1,
    .attributes = attributes_like<OverAxes>,
    .type = flip_type,
    .vjp =
        [](VjpScope& s) { s.add_gradient(0, dlg::flip(s.seed(), std::get<OverAxes>(s.attributes()).axes)); },
    .lowering = Map{flip_element},
    .is_selection = true,
    .cases = flip_cases,
};

}  // namespace dlg
