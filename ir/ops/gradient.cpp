// Owns `gradient`, the place of a derivative until `differentiate` builds it, and what no derivative passes.
#include <fmt/format.h>

#include "ir/ops/lowering.h"
#include "ir/ops/registry.h"
#include "ir/ops/type_rules.h"

namespace dlg {
namespace {

TypeResult gradient_type(const TypeQuery& query) {
  const TensorType& e = query.operands[0];
  const TensorType& v = query.operands[1];
  if (const auto reason = not_float(e)) return *reason;
  if (const auto reason = not_float(v)) return *reason;
  if (e.shape.rank() == 0 || e.shape == Shape{kBatch}) return v;
  return fmt::format("the derivative of a value of shape {}, expected a scalar", shape_text(e.shape));
}

std::vector<SampleCase> gradient_cases() {
  const TensorType scalar{DType::kF64, {}};
  return {{{scalar, scalar}, {}, {}},
          {{scalar, {DType::kF64, {3, 4}}}, {}, {}},
          {{{DType::kF64, {kBatch}}, {DType::kF64, {kBatch, 2}}}, {}, {}}};
}

}  // namespace

constinit const OpDef ops::gradient{
    .name = "gradient",
    .doc =
        "The derivative of the scalar `e` by `v`, of the type of `v`. For a per-sample `e` that of its "
        "batch mean. It exists only before `differentiate`, which puts the derivative's graph in its place.",
    .formula = "none: inner derivatives are built before outer ones",
    .arity = 2,
    .type = gradient_type,
    .vjp = no_gradient,
    .cases = gradient_cases,
};

constinit const OpDef ops::stop_gradient{
    .name = "stop_gradient",
    .doc = "x itself, which counts as a constant wherever something is derived.",
    .formula = "dx = 0",
    .arity = 1,
    .type = float_elementwise,
    .vjp = no_gradient,
    .lowering = Map{[](ElementScope& scope) { return scope.arg(0); }},
    .is_selection = true,
    .sample = {.is_smooth = false},
};

}  // namespace dlg
