#include "passes/derive/batch_weight.h"

#include <limits>

namespace dlg {

Expr batch_weight(Builder& builder, DType dtype) {
  const std::optional<ValueId> weight = builder.graph().find_output(kWeightOutput);
  return weight ? cast({&builder, *weight}, dtype) : batch_rows(builder, dtype);
}

void add_weight_fault(Builder& builder, ValueId total, ValueId is_due) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Expr sum{&builder, total};
  const TensorType flag{DType::kF32, {}};
  const Expr none = constant(builder, 0, flag);
  const Expr fault = constant(builder, kWeightFault, flag);
  const Expr has_weight = compare(">", sum, constant_like(sum, 0));
  Expr missing = select(has_weight, none, fault);
  if (is_due.is_valid()) missing = select({&builder, is_due}, missing, none);
  // NaN is not below infinity.
  const Expr result = select(compare("<", sum, constant_like(sum, kInfinity)), missing, fault);
  builder.set_name(result.value, std::string(kFaultOutput));
  builder.graph().outputs.push_back({std::string(kFaultOutput), result.value});
}

}  // namespace dlg
