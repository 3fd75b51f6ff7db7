// Owns the functions of logits: logsumexp, softmax and log_softmax. In each the largest element is subtracted
// first and stays apart, so that what two logits differ by is never rounded at their size.
#include <limits>

#include "ir/graph/graph.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"

namespace dlg {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Axes = std::vector<std::int64_t>;

/// What all three are made of. `total` has the reduced shape and is f64, so that a probability near 1 leaves
/// its distance from 1 in the logarithm.
struct Parts {
  Expr shift;    // the largest element, 0 where that is not finite: all -inf, +inf and NaN pass through
  Expr shifted;  // x - shift
  Expr exps;     // exp(shifted)
  Expr total;    // the sum of exps: 0 if there is nothing to choose from, else at least 1
};

Parts parts_of(Expr x, const Axes& axes) {
  const Expr largest = reduce_max(x, axes);
  const Expr is_finite = compare("<", abs(largest), constant_like(largest, kInfinity));
  const Expr shift = select(is_finite, largest, constant_like(largest, 0));
  const Expr shifted = x - expand_axes(shift, x.shape(), axes);
  const Expr exps = exp(shifted);
  return {shift, shifted, exps, sum(cast(exps, DType::kF64), axes)};
}

/// 1 where there is nothing to choose from: its probabilities are 0 and its log probabilities -inf.
Expr divisor_of(Expr total) {
  return select(compare("==", total, constant_like(total, 0)), constant_like(total, 1), total);
}

ValueId expand_logsumexp(CompositeScope& scope) {
  const Parts parts = parts_of(scope.operand(0), std::get<OverAxes>(scope.attributes()).axes);
  return (cast(log(parts.total), scope.type().dtype) + parts.shift).value;
}

ValueId expand_softmax(CompositeScope& scope) {
  const Axes& axes = std::get<OverAxes>(scope.attributes()).axes;
  const Parts parts = parts_of(scope.operand(0), axes);
  const Expr divisor = cast(divisor_of(parts.total), scope.type().dtype);
  return (parts.exps / expand_axes(divisor, scope.type().shape, axes)).value;
}

ValueId expand_log_softmax(CompositeScope& scope) {
  const Axes& axes = std::get<OverAxes>(scope.attributes()).axes;
  const Parts parts = parts_of(scope.operand(0), axes);
  const Expr log_total = cast(log(divisor_of(parts.total)), scope.type().dtype);
  return (parts.shifted - expand_axes(log_total, scope.type().shape, axes)).value;
}

void logsumexp_vjp(VjpScope& scope) {
  const Expr x = scope.operand(0);
  const Axes axes = std::get<OverAxes>(scope.attributes()).axes;
  scope.add_gradient(0, masked_mul(expand_axes(scope.seed(), x.shape(), axes), softmax(x, axes)));
}

void softmax_vjp(VjpScope& scope) {
  const Expr seed = scope.seed();
  const Expr share = scope.result();
  const Axes axes = std::get<OverAxes>(scope.attributes()).axes;
  const Expr common = sum(masked_mul(seed, share), axes);
  scope.add_gradient(0, masked_mul(seed - expand_axes(common, seed.shape(), axes), share));
}

void log_softmax_vjp(VjpScope& scope) {
  const Expr x = scope.operand(0);
  const Expr seed = scope.seed();
  const Axes axes = std::get<OverAxes>(scope.attributes()).axes;
  const Expr common = expand_axes(sum(seed, axes), x.shape(), axes);
  scope.add_gradient(0, seed - masked_mul(common, softmax(x, axes)));
}

/// The operand's type: `axes` stay.
TypeResult logits_type(const TypeQuery& query) {
  const TypeResult reduced = float_reduction(query);
  return std::holds_alternative<std::string>(reduced) ? reduced : query.operands[0];
}

std::vector<SampleCase> logits_cases() {
  return {{{{DType::kF64, {7}}}, OverAxes{{0}}, {}},
          {{{DType::kF64, {3, 5}}}, OverAxes{{1}}, {}},
          {{{DType::kF64, {3, 5}}}, OverAxes{{0}}, {}},
          {{{DType::kF64, {2, 3, 4}}}, OverAxes{{0, 2}}, {}},
          {{{DType::kF64, {kBatch, 4}}}, OverAxes{{1}}, {}},
          {{{DType::kF64, {kBatch, 2, 18}}}, OverAxes{{2}}, {}}};
}

std::vector<SampleCase> logsumexp_cases() {
  std::vector<SampleCase> cases = logits_cases();
  cases.push_back({{{DType::kF64, {37, 2}}}, OverAxes{{0, 1}}, {}});
  cases.push_back({{{DType::kF64, {kBatch, 4}}}, OverAxes{{0}}, {}});
  cases.push_back({{{DType::kF64, {kBatch, 2, 3}}}, OverAxes{{0, 1, 2}}, {}});
  return cases;
}

}  // namespace

constinit const OpDef ops::logsumexp{
    .name = "logsumexp",
    .doc =
        "log(sum(exp(x))) over `axes`, shifted by the largest element: no overflow. All -inf give -inf; "
        "+inf and NaN pass through.",
    .formula = "dx = dy softmax(x), 0 where all x are -inf and where dy is exactly 0",
    .arity = 1,
    .attributes = attributes_like<OverAxes>,
    .type = float_reduction,
    .vjp = logsumexp_vjp,
    .lowering = Composite{expand_logsumexp},
    .cases = logsumexp_cases,
};

constinit const OpDef ops::softmax{
    .name = "softmax",
    .doc =
        "exp(x) / sum(exp(x)) over `axes`, which stay; the largest element is subtracted first. All -inf "
        "give "
        "0; +inf and NaN give NaN.",
    .formula = "dx = y (dy - sum(dy y)), with y = softmax(x); a factor of exactly 0 before y gives 0",
    .arity = 1,
    .attributes = attributes_like<OverAxes>,
    .type = logits_type,
    .vjp = softmax_vjp,
    .lowering = Composite{expand_softmax},
    .cases = logits_cases,
};

constinit const OpDef ops::log_softmax{
    .name = "log_softmax",
    .doc =
        "log(softmax(x)) over `axes`, which stay: (x - largest) - log(sum(exp(x - largest))), so that what "
        "two elements differ by keeps its last digits whatever their size. All -inf stay -inf; +inf and NaN "
        "give NaN.",
    .formula = "dx = dy - softmax(x) sum(dy); a sum of exactly 0 takes nothing",
    .arity = 1,
    .attributes = attributes_like<OverAxes>,
    .type = logits_type,
    .vjp = log_softmax_vjp,
    .lowering = Composite{expand_log_softmax},
    .cases = logits_cases,
};

}  // namespace dlg
