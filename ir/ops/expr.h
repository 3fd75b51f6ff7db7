// Owns the operators on Expr: the language in which derivative rules, composites and laws are written.
// Element-wise operators take operands of one shape; a shape [] operand of a binary operator is broadcast.
#pragma once

#include "ir/graph/scopes.h"

namespace dlg {

Expr constant(Builder& builder, double value, const TensorType& type);
/// `value` in every element, of the type of `like`.
Expr constant_like(Expr like, double value);
/// The number of valid rows as a scalar of `dtype`.
Expr batch_rows(Builder& builder, DType dtype);

Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b);
Expr operator-(Expr a);
Expr operator+(Expr a, double b);
Expr operator-(Expr a, double b);
Expr operator-(double a, Expr b);
Expr operator*(Expr a, double b);
Expr operator*(double a, Expr b);
Expr operator/(double a, Expr b);

Expr exp(Expr x);
Expr expm1(Expr x);
Expr log(Expr x);
Expr log1p(Expr x);
Expr sqrt(Expr x);
Expr tanh(Expr x);
Expr sigmoid(Expr x);
Expr softplus(Expr x);
Expr sin(Expr x);
Expr cos(Expr x);
Expr sign(Expr x);
Expr abs(Expr x);
Expr pow(Expr x, Expr y);
/// x^n by repeated squaring, |n| <= 64; negative n is 1 / x^|n|; n = 0 is the constant 1.
Expr integer_pow(Expr x, int n);
Expr max(Expr a, Expr b);
Expr min(Expr a, Expr b);
/// `relation` is one of == != < <= > >=; the result is bool.
Expr compare(std::string_view relation, Expr a, Expr b);
Expr select(Expr condition, Expr if_true, Expr if_false);
/// 0 where the seed is exactly 0, else seed * partial: a dead branch never poisons a gradient.
Expr masked_mul(Expr seed, Expr partial);
/// seed * partial in the rule of an element-wise op; masked where the seed is gated and the partial may be
/// infinite or NaN.
Expr seed_times(const VjpScope& scope, Expr partial);
Expr cast(Expr x, DType dtype);

/// Reduces `axes` (ascending) away.
Expr sum(Expr x, std::vector<std::int64_t> axes);
Expr mean(Expr x, std::vector<std::int64_t> axes);
Expr reduce_max(Expr x, std::vector<std::int64_t> axes);
Expr reduce_min(Expr x, std::vector<std::int64_t> axes);
Expr logsumexp(Expr x, std::vector<std::int64_t> axes);
/// Over `axes` (ascending), which stay.
Expr softmax(Expr x, std::vector<std::int64_t> axes);
Expr log_softmax(Expr x, std::vector<std::int64_t> axes);
Expr argmax(Expr x, std::int64_t axis);

/// Puts operand axis i at result axis `axes[i]` (ascending) of `shape`; the other axes repeat it. Sizes must
/// agree: a size-1 axis does not stretch.
Expr broadcast(Expr x, const Shape& shape, std::vector<std::int64_t> axes);
/// The same, as one broadcast where x is one itself: then its derivative is one sum.
Expr broadcast_at_once(Expr x, const Shape& shape, const std::vector<std::int64_t>& axes);
/// Aligned from the right.
Expr broadcast_to(Expr x, const Shape& shape);
/// The inverse of a reduction over `axes`: puts the reduced axes back.
Expr expand_axes(Expr x, const Shape& shape, const std::vector<std::int64_t>& axes);
Expr reshape(Expr x, const Shape& shape);
Expr transpose(Expr x, std::vector<std::int64_t> permutation);
/// Elements [start[i], start[i] + shape[i]) along each axis.
Expr slice(Expr x, std::vector<std::int64_t> starts, const Shape& shape);
/// The adjoint of slice: x at `starts` in a tensor of zeros of `shape`.
Expr pad(Expr x, std::vector<std::int64_t> starts, const Shape& shape);
/// `parts` one after the other along `axis`.
Expr concat(std::span<const Expr> parts, std::int64_t axis);
/// The elements in the opposite order along `axes` (ascending).
Expr flip(Expr x, std::vector<std::int64_t> axes);
/// rows of `table` [n, rest...] at `index` [i...]: [i..., rest...].
Expr gather(Expr table, Expr index);
/// The adjoint of gather: adds the rows of `values` into zeros of `shape` at `index`; repeated indices add.
Expr scatter_add(Expr values, Expr index, const Shape& shape);
/// 1 where the index along a new last axis of size n equals `index`, of `dtype`.
Expr one_hot(Expr index, std::int64_t n, DType dtype);
/// Contraction by labels: "bi,oi->bo". The shape of the result follows from the operands.
Expr contract(Expr a, Expr b, std::string_view labels);
/// The same for any labels, as where windows stand, with the shape of the result.
Expr contract(Expr a, Expr b, ContractLabels labels, const Shape& shape);
/// What the windows of labels without a second operand meet: "bc(2y+r),->bcyr".
Expr windows(Expr x, ContractLabels labels, const Shape& shape);
/// x with a @ x = b: a [..., n, n], b [..., n].
Expr solve(Expr a, Expr b);
/// `parts` one after the other as one vector; each in row-major order.
Expr flattened(std::span<const Expr> parts);
/// d e / d v as a value that `differentiate` resolves. `e` is a scalar or per-sample scalar of a batched
/// graph.
Expr gradient(Expr e, Expr v);

}  // namespace dlg
