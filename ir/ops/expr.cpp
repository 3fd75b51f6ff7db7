#include "ir/ops/expr.h"

#include <algorithm>
#include <cmath>

#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"
#include "support/check.h"

namespace dlg {
namespace {

Expr make(const OpDef& op, const std::vector<Expr>& operands, Attributes attributes = {},
          const TensorType& declared = {}) {
  Builder& builder = *operands.front().builder;
  std::vector<ValueId> values;
  for (const Expr operand : operands) values.push_back(operand.value);
  return {&builder, builder.add(op, std::move(values), std::move(attributes), declared)};
}

/// A scalar is repeated to the other operand's shape.
Expr stretched(Expr x, Expr other) {
  return x.shape().rank() == 0 ? broadcast_to(x, other.shape()) : x;
}

Expr binary(const OpDef& op, Expr a, Expr b) {
  return make(op, {stretched(a, b), stretched(b, a)});
}

Expr reduction(const OpDef& op, Expr x, std::vector<std::int64_t> axes) {
  return axes.empty() ? x : make(op, {x}, OverAxes{std::move(axes)});
}

/// Literals, also repeated.
bool is_finite_constant(Expr x) {
  const Graph& graph = x.builder->graph();
  ValueId value = x.value;
  while (graph[value].op == &ops::broadcast) value = graph[value].operands.front();
  if (graph[value].op != &ops::constant) return false;
  const auto& literal = std::get<ConstantElements>(graph[value].attributes);
  return std::isfinite(literal.value) && std::all_of(literal.elements.begin(), literal.elements.end(),
                                                     [](double number) { return std::isfinite(number); });
}

}  // namespace

Expr constant(Builder& builder, double value, const TensorType& type) {
  return {&builder, builder.add(ops::constant, {}, ConstantElements{value}, type)};
}

Expr constant_like(Expr like, double value) {
  const TensorType type = like.type();
  return constant(*like.builder, value, type);
}

Expr batch_rows(Builder& builder, DType dtype) {
  return {&builder, builder.add(ops::rows, {}, {}, TensorType{dtype, {}})};
}

Expr operator+(Expr a, Expr b) {
  return binary(ops::add, a, b);
}
Expr operator-(Expr a, Expr b) {
  return binary(ops::sub, a, b);
}
Expr operator*(Expr a, Expr b) {
  return binary(ops::mul, a, b);
}
Expr operator/(Expr a, Expr b) {
  return binary(ops::div_, a, b);
}
Expr operator-(Expr a) {
  return make(ops::neg, {a});
}
Expr operator+(Expr a, double b) {
  return a + constant_like(a, b);
}
Expr operator-(Expr a, double b) {
  return a - constant_like(a, b);
}
Expr operator-(double a, Expr b) {
  return constant_like(b, a) - b;
}
Expr operator*(Expr a, double b) {
  return a * constant_like(a, b);
}
Expr operator*(double a, Expr b) {
  return constant_like(b, a) * b;
}
Expr operator/(double a, Expr b) {
  return constant_like(b, a) / b;
}

Expr exp(Expr x) {
  return make(ops::exp_, {x});
}
Expr expm1(Expr x) {
  return make(ops::expm1_, {x});
}
Expr log(Expr x) {
  return make(ops::log_, {x});
}
Expr log1p(Expr x) {
  return make(ops::log1p_, {x});
}
Expr sqrt(Expr x) {
  return make(ops::sqrt_, {x});
}
Expr tanh(Expr x) {
  return make(ops::tanh_, {x});
}
Expr sigmoid(Expr x) {
  return make(ops::sigmoid, {x});
}
Expr softplus(Expr x) {
  return make(ops::softplus, {x});
}
Expr sin(Expr x) {
  return make(ops::sin_, {x});
}
Expr cos(Expr x) {
  return make(ops::cos_, {x});
}
Expr sign(Expr x) {
  return make(ops::sign_, {x});
}
Expr abs(Expr x) {
  return make(ops::abs_, {x});
}
Expr pow(Expr x, Expr y) {
  return binary(ops::pow_, x, y);
}

Expr integer_pow(Expr x, int n) {
  DLG_CHECK(n >= -64 && n <= 64, "an integer power beyond 64");
  if (n == 0) return constant_like(x, 1);
  if (n < 0) return 1.0 / integer_pow(x, -n);
  Expr square = x;
  Expr result{};
  for (int rest = n;;) {
    if (rest % 2 == 1) result = result.builder == nullptr ? square : result * square;
    rest /= 2;
    if (rest == 0) return result;
    square = square * square;
  }
}

Expr max(Expr a, Expr b) {
  return binary(ops::max_, a, b);
}
Expr min(Expr a, Expr b) {
  return binary(ops::min_, a, b);
}

Expr compare(std::string_view relation, Expr a, Expr b) {
  const std::optional<Relation> found = find_relation(relation);
  DLG_CHECK(found.has_value(), "a comparison by something else than a relation");
  return make(ops::compare, {stretched(a, b), stretched(b, a)}, ComparedBy{*found});
}

Expr select(Expr condition, Expr if_true, Expr if_false) {
  const Expr a = stretched(stretched(if_true, if_false), condition);
  const Expr b = stretched(stretched(if_false, if_true), condition);
  return make(ops::select_, {stretched(condition, a), a, b});
}

Expr masked_mul(Expr seed, Expr partial) {
  return binary(ops::masked_mul, seed, partial);
}

Expr seed_times(const VjpScope& scope, Expr partial) {
  if (!scope.is_gated() || is_finite_constant(partial)) return scope.seed() * partial;
  const Expr product = masked_mul(scope.seed(), partial);
  product.builder->add_law(product.value, kGatedLaw);
  return product;
}

Expr cast(Expr x, DType dtype) {
  return x.type().dtype == dtype ? x : make(ops::cast, {x}, {}, TensorType{dtype, x.shape()});
}

Expr sum(Expr x, std::vector<std::int64_t> axes) {
  return reduction(ops::sum, x, std::move(axes));
}
Expr mean(Expr x, std::vector<std::int64_t> axes) {
  return reduction(ops::mean, x, std::move(axes));
}
Expr reduce_max(Expr x, std::vector<std::int64_t> axes) {
  return reduction(ops::reduce_max, x, std::move(axes));
}
Expr reduce_min(Expr x, std::vector<std::int64_t> axes) {
  return reduction(ops::reduce_min, x, std::move(axes));
}
Expr logsumexp(Expr x, std::vector<std::int64_t> axes) {
  return reduction(ops::logsumexp, x, std::move(axes));
}
Expr softmax(Expr x, std::vector<std::int64_t> axes) {
  return reduction(ops::softmax, x, std::move(axes));
}
Expr log_softmax(Expr x, std::vector<std::int64_t> axes) {
  return reduction(ops::log_softmax, x, std::move(axes));
}
Expr argmax(Expr x, std::int64_t axis) {
  return make(ops::argmax, {x}, AlongAxis{axis});
}

Expr broadcast(Expr x, const Shape& shape, std::vector<std::int64_t> axes) {
  if (x.shape() == shape) return x;
  return make(ops::broadcast, {x}, AxisMap{std::move(axes)}, TensorType{x.type().dtype, shape});
}

Expr broadcast_at_once(Expr x, const Shape& shape, const std::vector<std::int64_t>& axes) {
  const Node& node = x.builder->graph()[x.value];
  if (node.op != &ops::broadcast) return broadcast(x, shape, axes);
  std::vector<std::int64_t> both;
  for (const std::int64_t axis : std::get<AxisMap>(node.attributes).axes)
    both.push_back(axes[static_cast<std::size_t>(axis)]);
  return broadcast_at_once({x.builder, node.operands[0]}, shape, both);
}

Expr broadcast_to(Expr x, const Shape& shape) {
  const std::size_t rank = x.shape().rank();
  DLG_CHECK(rank <= shape.rank(), "a broadcast to fewer axes");
  std::vector<std::int64_t> axes;
  for (std::size_t i = shape.rank() - rank; i < shape.rank(); ++i) {
    axes.push_back(static_cast<std::int64_t>(i));
  }
  return broadcast(x, shape, std::move(axes));
}

Expr expand_axes(Expr x, const Shape& shape, const std::vector<std::int64_t>& axes) {
  return broadcast(x, shape, other_axes(shape.rank(), axes));
}

Expr reshape(Expr x, const Shape& shape) {
  if (x.shape() == shape) return x;
  return make(ops::reshape, {x}, {}, TensorType{x.type().dtype, shape});
}

Expr transpose(Expr x, std::vector<std::int64_t> permutation) {
  return make(ops::transpose, {x}, AxisMap{std::move(permutation)});
}

Expr slice(Expr x, std::vector<std::int64_t> starts, const Shape& shape) {
  if (x.shape() == shape) return x;
  return make(ops::slice, {x}, BoxStarts{std::move(starts)}, TensorType{x.type().dtype, shape});
}

Expr pad(Expr x, std::vector<std::int64_t> starts, const Shape& shape) {
  if (x.shape() == shape) return x;
  return make(ops::pad, {x}, BoxStarts{std::move(starts)}, TensorType{x.type().dtype, shape});
}

Expr concat(std::span<const Expr> parts, std::int64_t axis) {
  if (parts.size() == 1) return parts.front();
  std::vector<ValueId> operands;
  for (const Expr& part : parts) operands.push_back(part.value);
  Builder& builder = *parts.front().builder;
  return {&builder, builder.add(ops::concat, std::move(operands), AlongAxis{axis})};
}

Expr flip(Expr x, std::vector<std::int64_t> axes) {
  return make(ops::flip, {x}, OverAxes{std::move(axes)});
}

Expr gather(Expr table, Expr index) {
  return make(ops::gather, {table, index});
}

Expr scatter_add(Expr values, Expr index, const Shape& shape) {
  return make(ops::scatter_add, {values, index}, {}, TensorType{values.type().dtype, shape});
}

Expr one_hot(Expr index, std::int64_t n, DType dtype) {
  std::vector<std::int64_t> dims = index.shape().dims();
  dims.push_back(n);
  return make(ops::one_hot, {index}, {}, TensorType{dtype, Shape(std::move(dims))});
}

Expr contract(Expr a, Expr b, std::string_view labels) {
  return make(ops::contract, {a, b}, ContractedAxes{contract_labels(labels)});
}

Expr contract(Expr a, Expr b, ContractLabels labels, const Shape& shape) {
  return make(ops::contract, {a, b}, ContractedAxes{std::move(labels)}, {a.type().dtype, shape});
}

Expr windows(Expr x, ContractLabels labels, const Shape& shape) {
  return make(ops::windows, {x}, ContractedAxes{std::move(labels)}, TensorType{x.type().dtype, shape});
}

Expr solve(Expr a, Expr b) {
  return make(ops::solve, {a, b});
}

Expr flattened(std::span<const Expr> parts) {
  std::int64_t count = 0;
  for (const Expr& part : parts) count += part.shape().elements();
  Expr joined{};
  std::int64_t start = 0;
  for (const Expr& part : parts) {
    const std::int64_t size = part.shape().elements();
    const Expr placed = pad(reshape(part, {size}), {start}, {count});
    joined = joined.builder == nullptr ? placed : joined + placed;
    start += size;
  }
  return joined;
}

Expr gradient(Expr e, Expr v) {
  return make(ops::gradient, {e, v});
}

}  // namespace dlg
