// Owns `solve`: a small system of linear equations by elimination with pivots.
#include <fmt/format.h>

#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"

namespace dlg {
namespace {

TypeResult solve_type(const TypeQuery& query) {
  const TensorType& a = query.operands[0];
  const TensorType& b = query.operands[1];
  if (const auto reason = not_float(b)) return *reason;
  if (b.shape.rank() == 0 || b.shape.dims().back() == kBatch) return "a right side without an axis";
  std::vector<std::int64_t> square = b.shape.dims();
  square.push_back(square.back());
  if (a == TensorType{b.dtype, Shape(square)}) return b;
  return fmt::format("a matrix of type {}, expected {}", type_text(a),
                     type_text(TensorType{b.dtype, Shape(square)}));
}

/// Gauss and Jordan: after step k the first k + 1 columns are those of the identity, and are kept no longer.
class Elimination {
 public:
  Elimination(Expr a, Expr b) : a_(a), b_(b), axis_(static_cast<std::int64_t>(b.shape().rank()) - 1) {}

  Expr run() {
    const std::int64_t count = b_.shape().dims().back();
    for (std::int64_t k = 0; k < count; ++k) step(k);
    return b_;
  }

 private:
  /// One choice of a row: the largest element of the column, at or below row k, of equals the first.
  struct Pivot {
    Expr column;    // [..., n]
    Expr is_pivot;  // the row that is swapped with row k
    Expr is_k;
    Expr value;  // [...]
  };

  void step(std::int64_t k) {
    const Shape rows = b_.shape();
    const Expr column = reshape(columns(0, 1), rows);
    const Expr index{column.builder,
                     column.builder->add(ops::iota, {}, AlongAxis{axis_}, TensorType{DType::kI32, rows})};
    const Expr at_k = constant_like(index, static_cast<double>(k));
    const Expr candidates = select(compare(">=", index, at_k), abs(column), constant_like(column, -1));
    const Expr chosen = expand_axes(argmax(candidates, axis_), rows, {axis_});
    Pivot pivot{column, compare("==", index, chosen), compare("==", index, at_k), {}};
    pivot.value = row_of(column, pivot.is_pivot);
    b_ = eliminated(b_, pivot);
    const std::int64_t left = a_.shape().dims().back() - 1;
    if (left > 0) a_ = eliminated(columns(1, left), pivot);
  }

  Expr columns(std::int64_t first, std::int64_t count) const {
    std::vector<std::int64_t> dims = a_.shape().dims();
    std::vector<std::int64_t> starts(dims.size(), 0);
    starts.back() = first;
    dims.back() = count;
    return slice(a_, std::move(starts), Shape(std::move(dims)));
  }

  /// A value per row, for every column of `matrix`.
  static Expr per_row(Expr rows, const Shape& shape) {
    return rows.shape() == shape ? rows
                                 : expand_axes(rows, shape, {static_cast<std::int64_t>(shape.rank()) - 1});
  }

  Expr row_of(Expr matrix, Expr is_row) const {
    return sum(select(per_row(is_row, matrix.shape()), matrix, constant_like(matrix, 0)), {axis_});
  }

  /// A value without the axis of rows, for each row and column.
  Expr for_rows(Expr x, const Shape& shape) const {
    if (x.shape().rank() + 1 == shape.rank()) return expand_axes(x, shape, {axis_});
    return expand_axes(x, shape, {axis_, axis_ + 1});
  }

  /// The rows swapped, row k divided by the pivot, its multiples taken from all others.
  Expr eliminated(Expr matrix, const Pivot& pivot) const {
    const Shape shape = matrix.shape();
    const Expr is_pivot = per_row(pivot.is_pivot, shape);
    const Expr unit_row = for_rows(row_of(matrix, pivot.is_pivot), shape) / for_rows(pivot.value, shape);
    const Expr swapped = select(is_pivot, for_rows(row_of(matrix, pivot.is_k), shape), matrix);
    const Expr first = for_rows(row_of(pivot.column, pivot.is_k), pivot.column.shape());
    const Expr factor = select(pivot.is_pivot, first, pivot.column);
    return select(per_row(pivot.is_k, shape), unit_row, swapped - per_row(factor, shape) * unit_row);
  }

  Expr a_;
  Expr b_;
  std::int64_t axis_;  // of the rows
};

void solve_vjp(VjpScope& scope) {
  const Shape shape = scope.operand(0).shape();
  const auto row = static_cast<std::int64_t>(shape.rank()) - 2;
  std::vector<std::int64_t> swapped;
  for (std::int64_t axis = 0; axis < row; ++axis) swapped.push_back(axis);
  swapped.push_back(row + 1);
  swapped.push_back(row);
  const Expr db = solve(transpose(scope.operand(0), swapped), scope.seed());
  scope.add_gradient(0, -(expand_axes(db, shape, {row + 1}) * expand_axes(scope.result(), shape, {row})));
  scope.add_gradient(1, db);
}

std::vector<SampleCase> solve_cases() {
  return {{{{DType::kF64, {1, 1}}, {DType::kF64, {1}}}, {}, {}},
          {{{DType::kF64, {2, 2}}, {DType::kF64, {2}}}, {}, {}},
          {{{DType::kF64, {kBatch, 2, 2}}, {DType::kF64, {kBatch, 2}}}, {}, {}}};
}

}  // namespace

constinit const OpDef ops::solve{
    .name = "solve",
    .doc =
        "x with a @ x = b, for a of type [..., n, n] and b of type [..., n], by elimination with the largest "
        "element of a column as pivot. A singular matrix gives inf or NaN.",
    .formula = "db = solve(transpose(a), dx), da = -db x^T",
    .arity = 2,
    .type = solve_type,
    .vjp = solve_vjp,
    .lowering =
        Composite{[](CompositeScope& s) { return Elimination(s.operand(0), s.operand(1)).run().value; }},
    .cases = solve_cases,
};

}  // namespace dlg
