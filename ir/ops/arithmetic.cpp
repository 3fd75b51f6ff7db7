// Owns the arithmetic ops on elements of one type, and cast.
#include <fmt/format.h>

#include "ir/graph/graph.h"
#include "ir/ops/expr.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"
#include "support/defects.h"

namespace dlg {
namespace {

using loop::Op;

Scalar sign_element(ElementScope& scope) {
  const Scalar x = scope.arg(0);
  const Scalar zero = scope.constant(0, x.dtype);
  // What is neither above nor below 0 is 0 or NaN: the element itself.
  const Scalar below = choose(test(Op::kLt, x, zero), scope.constant(-1, x.dtype), x);
  return choose(test(Op::kGt, x, zero), scope.constant(1, x.dtype), below);
}

/// Adding 2^23 (f64: 2^52) leaves no bit for what is behind the point: the sum is rounded to a whole number,
/// halves to the even one, and taking it off again is exact. What is as large is whole already.
Scalar round_element(ElementScope& scope) {
  const Scalar x = scope.arg(0);
  const Scalar zero = scope.constant(0, x.dtype);
  const Scalar large = scope.constant(x.dtype == DType::kF32 ? 0x1p23 : 0x1p52, x.dtype);
  const Scalar size = scope.emit(Op::kAbs, {x});
  const Scalar whole = (size + large) - large;
  // Zeros keep their sign, and NaN stays.
  const Scalar signed_whole =
      choose(test(Op::kGt, x, zero), whole, choose(test(Op::kLt, x, zero), -whole, x));
  return choose(test(Op::kLt, size, large), signed_whole, x);
}

Scalar masked_mul_element(ElementScope& scope) {
  const Scalar seed = scope.arg(0);
  const Scalar zero = scope.constant(0, seed.dtype);
  return choose(test(Op::kEq, seed, zero), zero, seed * scope.arg(1));
}

Scalar cast_element(ElementScope& scope) {
  return to_dtype(scope.arg(0), scope.node().type.dtype);
}

TypeResult cast_type(const TypeQuery& query) {
  const TensorType& operand = query.operands[0];
  const TensorType& declared = query.declared;
  if (declared.shape != operand.shape) {
    return fmt::format("a declared shape {}, expected that of the operand, {}", shape_text(declared.shape),
                       shape_text(operand.shape));
  }
  if (declared.dtype == DType::kBool && operand.dtype != DType::kBool) {
    return "a cast of numbers to bool, expected a comparison";
  }
  return declared;
}

std::vector<SampleCase> cast_cases() {
  return {{{{DType::kF64, {}}}, {}, {DType::kF32, {}}},
          {{{DType::kF64, {7}}}, {}, {DType::kF64, {7}}},
          {{{DType::kF32, {3, 5}}}, {}, {DType::kF64, {3, 5}}},
          {{{DType::kF64, {kBatch, 4}}}, {}, {DType::kI32, {kBatch, 4}}}};
}

/// Floats as for every element-wise op, and integers.
template <std::size_t arity>
std::vector<SampleCase> number_cases() {
  std::vector<SampleCase> cases;
  for (const TensorType& type : {TensorType{DType::kF64, {}}, TensorType{DType::kF64, {7}},
                                 TensorType{DType::kF64, {3, 5}}, TensorType{DType::kF64, {kBatch, 4}},
                                 TensorType{DType::kI32, {kBatch, 4}}, TensorType{DType::kI64, {7}}}) {
    cases.push_back({std::vector<TensorType>(arity, type), {}, {}});
  }
  return cases;
}

void cast_vjp(VjpScope& scope) {
  const DType operand = scope.operand(0).type().dtype;
  if (!is_float(operand) || !is_float(scope.result().type().dtype)) return;
  scope.add_gradient(0, cast(scope.seed(), operand));
}

/// A whole number keeps its value in a wider type and where it fits; of floats nothing is known.
Interval cast_range(const RangeQuery& query) {
  return is_float(query.graph.type(query.node.operands[0]).dtype) ? Interval{}
                                                                  : query.operands[0].if_finite();
}

/// The seed's share of `winner` against `other`: all of it where the winner stands alone in front (`relation`
/// holds, or it alone is NaN), half where both are equal or both are NaN, else 0.
Expr share_of(Expr seed, Expr winner, Expr other, std::string_view relation) {
  const Expr half = seed * 0.5;
  const Expr zero = constant_like(seed, 0);
  const Expr if_nan = select(compare("!=", other, other), half, seed);
  const Expr unordered = select(compare("!=", winner, winner), if_nan, zero);
  return select(compare(relation, winner, other), seed,
                select(compare("==", winner, other), half, unordered));
}

void share_extremum(VjpScope& scope, std::string_view relation) {
  const Expr a = scope.operand(0);
  const Expr b = scope.operand(1);
  scope.add_gradient(0, share_of(scope.seed(), a, b, relation));
  scope.add_gradient(1, share_of(scope.seed(), b, a, relation));
}

void div_vjp(VjpScope& scope) {
  const Expr b = scope.operand(1);
  scope.add_gradient(0, masked_mul(scope.seed(), 1.0 / b));
  scope.add_gradient(1, masked_mul(scope.seed(), -(scope.result() / b)));
}

void pow_vjp(VjpScope& scope) {
  const Expr x = scope.operand(0);
  const Expr y = scope.operand(1);
  const Expr zero = constant_like(x, 0);
  const Expr dx = select(compare("==", y, zero), zero, y * pow(x, y - 1.0));
  const Expr at_zero = select(compare(">=", y, zero), zero, scope.result() * log(x));
  const Expr dy = select(compare("==", x, zero), at_zero, scope.result() * log(x));
  scope.add_gradient(0, masked_mul(scope.seed(), dx));
  scope.add_gradient(1, masked_mul(scope.seed(), dy));
}

}  // namespace

constinit const OpDef ops::neg{
    .name = "neg",
    .doc = "Minus x. Integers wrap around at the ends of their type.",
    .formula = "dx = -dy",
    .arity = 1,
    .type = number_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, -s.seed()); },
    .lowering = Map{one_instruction<Op::kNeg>},
    .range = [](const RangeQuery& q) { return (-q.operands[0]).if_finite(); },
    .cases = number_cases<1>,
};

constinit const OpDef ops::abs_{
    .name = "abs",
    .doc = "The absolute value of x.",
    .formula = "dx = dy sign(x), 0 at x = 0",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, seed_times(s, dlg::sign(s.operand(0)))); },
    .lowering = Map{one_instruction<Op::kAbs>},
    .range = [](const RangeQuery& q) { return absolute(q.operands[0]).if_finite(); },
    .sample = {.margin = 0.05},
};

constinit const OpDef ops::sign_{
    .name = "sign",
    .doc = "-1 below 0, 0 at 0, 1 above 0; NaN stays NaN.",
    .formula = "dx = 0",
    .arity = 1,
    .type = float_elementwise,
    .vjp = no_gradient,
    .lowering = Map{sign_element},
    .sample = {.margin = 0.05},
};

constinit const OpDef ops::round_{
    .name = "round",
    .doc =
        "The whole number nearest to x, of two as near the even one: 2 for 2.5 and -0 for -0.5; NaN and "
        "infinities stay.",
    .formula = "dx = 0, also where the result jumps",
    .arity = 1,
    .type = float_elementwise,
    .vjp = no_gradient,
    .lowering = Map{round_element},
    .sample = {.margin = 0.05},
};

constinit const OpDef ops::sqrt_{
    .name = "sqrt",
    .doc = "The square root of x; NaN below 0.",
    .formula = "dx = dy / (2 sqrt(x)), inf at x = 0, and 0 where dy is exactly 0",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, dlg::masked_mul(s.seed(), 0.5 / s.result())); },
    .lowering = Map{one_instruction<Op::kSqrt>},
    .sample = {.low = 0.1, .high = 4},
};

constinit const OpDef ops::add{
    .name = "add",
    .doc = "a plus b. Integers wrap around at the ends of their type.",
    .formula = "da = dy; db = dy",
    .arity = 2,
    .is_commutative = true,
    .type = number_elementwise,
    .vjp =
        [](VjpScope& s) {
          s.add_gradient(0, s.seed());
          s.add_gradient(1, s.seed());
        },
    .lowering = Map{one_instruction<Op::kAdd>},
    .range = [](const RangeQuery& q) { return (q.operands[0] + q.operands[1]).if_finite(); },
    .cases = number_cases<2>,
};

constinit const OpDef ops::sub{
    .name = "sub",
    .doc = "a minus b. Integers wrap around at the ends of their type.",
    .formula = "da = dy; db = -dy",
    .arity = 2,
    .type = number_elementwise,
    .vjp =
        [](VjpScope& s) {
          s.add_gradient(0, s.seed());
          s.add_gradient(1, has_defect(Defect::kWrongSign) ? s.seed() : -s.seed());
        },
    .lowering = Map{one_instruction<Op::kSub>},
    .range = [](const RangeQuery& q) { return (q.operands[0] - q.operands[1]).if_finite(); },
    .cases = number_cases<2>,
};

constinit const OpDef ops::mul{
    .name = "mul",
    .doc = "a times b, element by element. Integers wrap around at the ends of their type.",
    .formula = "da = dy b; db = dy a; each 0 where dy is exactly 0 because a `where` chose otherwise",
    .arity = 2,
    .is_commutative = true,
    .type = number_elementwise,
    .vjp =
        [](VjpScope& s) {
          s.add_gradient(0, seed_times(s, s.operand(1)));
          s.add_gradient(1, seed_times(s, s.operand(0)));
        },
    .lowering = Map{one_instruction<Op::kMul>},
    .range = [](const RangeQuery& q) { return (q.operands[0] * q.operands[1]).if_finite(); },
    .cases = number_cases<2>,
};

constinit const OpDef ops::div_{
    .name = "div",
    .doc = "a divided by b, as IEEE 754 has it.",
    .formula = "da = dy / b; db = -dy (a / b) / b; each 0 where dy is exactly 0",
    .arity = 2,
    .type = float_elementwise,
    .vjp = div_vjp,
    .lowering = Map{one_instruction<Op::kDiv>},
    .sample = {.low = 0.3, .high = 3},
};

constinit const OpDef ops::pow_{
    .name = "pow",
    .doc = "a to the power b, as pow of C has it: a^0 is 1, a negative a has only integer powers.",
    .formula =
        "da = dy b a^(b-1), 0 where b = 0; db = dy a^b log a, 0 where a = 0 and b >= 0, NaN where "
        "a < 0; each 0 where dy is exactly 0",
    .arity = 2,
    .type = float_elementwise,
    .vjp = pow_vjp,
    .lowering = Map{one_instruction<Op::kPow>},
    .sample = {.low = 0.3, .high = 3},
};

constinit const OpDef ops::max_{
    .name = "max",
    .doc = "The larger of a and b, floats or integers; NaN wins; of +0 and -0 the first.",
    .formula = "dy goes to the larger; equal elements (and two NaN) get half of it each",
    .arity = 2,
    .type = number_elementwise,
    .vjp = [](VjpScope& s) { share_extremum(s, ">"); },
    .lowering = Map{one_instruction<Op::kMax>},
    .range = [](const RangeQuery& q) { return larger(q.operands[0], q.operands[1]); },
    .sample = {.margin = 0.05},
    .cases = number_cases<2>,
};

constinit const OpDef ops::min_{
    .name = "min",
    .doc = "The smaller of a and b, floats or integers; NaN wins; of +0 and -0 the first.",
    .formula = "dy goes to the smaller; equal elements (and two NaN) get half of it each",
    .arity = 2,
    .type = number_elementwise,
    .vjp = [](VjpScope& s) { share_extremum(s, "<"); },
    .lowering = Map{one_instruction<Op::kMin>},
    .range = [](const RangeQuery& q) { return smaller(q.operands[0], q.operands[1]); },
    .sample = {.margin = 0.05},
    .cases = number_cases<2>,
};

constinit const OpDef ops::masked_mul{
    .name = "masked_mul",
    .doc =
        "0 where the seed is exactly 0, else seed times partial: derivative rules use it so that a branch "
        "that is not taken never poisons a gradient with 0 times inf.",
    .formula = "dseed = masked_mul(dy, partial); dpartial = masked_mul(seed, dy)",
    .arity = 2,
    .type = float_elementwise,
    .vjp =
        [](VjpScope& s) {
          s.add_gradient(0, dlg::masked_mul(s.seed(), s.operand(1)));
          // Where the seed is 0 nothing depends on the partial, however large dy is.
          s.add_gradient(1, dlg::masked_mul(s.operand(0), s.seed()));
        },
    .lowering = Map{masked_mul_element},
};

constinit const OpDef ops::cast{
    .name = "cast",
    .doc =
        "The same number in another element type: rounded to the nearest float; to an integer truncated, "
        "beyond its range the nearest it has, NaN to 0.",
    .formula = "dx = cast(dy) between float types, else 0",
    .arity = 1,
    .declares_type = true,
    .type = cast_type,
    .vjp = cast_vjp,
    .lowering = Map{cast_element},
    .range = cast_range,
    .sample = {.margin = 0.05},
    .cases = cast_cases,
};

}  // namespace dlg
