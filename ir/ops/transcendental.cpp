// Owns the elementary functions beyond arithmetic, each with a derivative that stays accurate in its tails.
#include "ir/ops/expr.h"
#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"

namespace dlg {
namespace {

using loop::Op;

constexpr double kTwoOverRootPi = 1.12837916709551257390;

}  // namespace

constinit const OpDef ops::exp_{
    .name = "exp",
    .doc = "e to the power x.",
    .formula = "dx = dy exp(x), 0 where dy is exactly 0",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, dlg::masked_mul(s.seed(), s.result())); },
    .lowering = Map{one_instruction<Op::kExp>},
};

constinit const OpDef ops::expm1_{
    .name = "expm1",
    .doc = "exp(x) - 1, accurate near 0.",
    .formula = "dx = dy exp(x), 0 where dy is exactly 0",
    .arity = 1,
    .type = float_elementwise,
    // Not result + 1, which cancels for large negative x.
    .vjp = [](VjpScope& s) { s.add_gradient(0, dlg::masked_mul(s.seed(), exp(s.operand(0)))); },
    .lowering = Map{one_instruction<Op::kExpm1>},
};

constinit const OpDef ops::log_{
    .name = "log",
    .doc = "The natural logarithm of x: -inf at 0, NaN below.",
    .formula = "dx = dy / x, 0 where dy is exactly 0",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, dlg::masked_mul(s.seed(), 1.0 / s.operand(0))); },
    .lowering = Map{one_instruction<Op::kLog>},
    .sample = {.low = 0.1, .high = 4},
};

constinit const OpDef ops::log1p_{
    .name = "log1p",
    .doc = "log(1 + x), accurate near 0.",
    .formula = "dx = dy / (1 + x), 0 where dy is exactly 0",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, dlg::masked_mul(s.seed(), 1.0 / (s.operand(0) + 1.0))); },
    .lowering = Map{one_instruction<Op::kLog1p>},
    .sample = {.low = -0.8, .high = 3},
};

constinit const OpDef ops::tanh_{
    .name = "tanh",
    .doc = "The hyperbolic tangent of x.",
    .formula = "dx = dy (1 - tanh(x)^2)",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, seed_times(s, 1.0 - s.result() * s.result())); },
    .lowering = Map{one_instruction<Op::kTanh>},
};

constinit const OpDef ops::sigmoid{
    .name = "sigmoid",
    .doc = "1 / (1 + exp(-x)), computed without overflow on both sides.",
    .formula = "dx = dy s (1 - s), s = sigmoid(x)",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, seed_times(s, s.result() * (1.0 - s.result()))); },
    .lowering = Map{one_instruction<Op::kSigmoid>},
};

constinit const OpDef ops::softplus{
    .name = "softplus",
    .doc = "log(1 + exp(x)), computed as max(x, 0) + log1p(exp(-|x|)); no threshold.",
    .formula = "dx = dy sigmoid(x)",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, seed_times(s, dlg::sigmoid(s.operand(0)))); },
    .lowering = Map{one_instruction<Op::kSoftplus>},
};

constinit const OpDef ops::erf_{
    .name = "erf",
    .doc = "The error function of x.",
    .formula = "dx = dy 2 / sqrt(pi) exp(-x^2)",
    .arity = 1,
    .type = float_elementwise,
    .vjp =
        [](VjpScope& s) {
          const Expr x = s.operand(0);
          s.add_gradient(0, seed_times(s, exp(-(x * x)) * kTwoOverRootPi));
        },
    .lowering = Map{one_instruction<Op::kErf>},
};

constinit const OpDef ops::sin_{
    .name = "sin",
    .doc = "The sine of x in radians.",
    .formula = "dx = dy cos(x)",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, seed_times(s, cos(s.operand(0)))); },
    .lowering = Map{one_instruction<Op::kSin>},
};

constinit const OpDef ops::cos_{
    .name = "cos",
    .doc = "The cosine of x in radians.",
    .formula = "dx = -dy sin(x)",
    .arity = 1,
    .type = float_elementwise,
    .vjp = [](VjpScope& s) { s.add_gradient(0, -seed_times(s, sin(s.operand(0)))); },
    .lowering = Map{one_instruction<Op::kCos>},
};

}  // namespace dlg
