#include "passes/derive/accumulate.h"

#include <fmt/format.h>

#include "ir/graph/rule_states.h"
#include "passes/derive/batch_weight.h"

namespace dlg {

Accumulation::Accumulation(UpdatedStates& states, ValueId batches) : states_(states) {
  const Expr done = of(states.read_scalar(kMicroBatchesState)) + 1.0;
  is_due_ = compare(">=", done, of(batches));
  // Through a cast, the sum is no scalar of leaves that each kernel would compute for itself, which no update
  // could be fused with: the state would have to be read before what it is written with is known.
  const bool has_weight = states.builder().graph().find_output(kWeightOutput).has_value();
  const Expr own = batch_weight(states.builder(), has_weight ? DType::kF64 : DType::kI64);
  weight_ = of(states.read_scalar(kMicroRowsState)) + cast(own, DType::kF64);
  write_sum(rule_state_path(kMicroBatchesState), done);
  write_sum(rule_state_path(kMicroRowsState), weight_);
}

Expr Accumulation::if_due(Expr due, Expr held) {
  return select(broadcast_to(is_due_, due.shape()), due, held);
}

void Accumulation::write_sum(const std::string& path, Expr sum) {
  states_.write(path, if_due(constant_like(sum, 0), sum).value);
}

/// Adds this micro-batch to the sum by its weight; the mean over all rows in it.
ValueId Accumulation::summed(const State& parameter, ValueId gradient, const std::string& name) {
  Builder& builder = states_.builder();
  const DType dtype = builder.type(gradient).dtype;
  const std::string path = rule_state_path(parameter.path, name);
  const Expr before = of(states_.read({path, parameter.type, StateKind::kOptimizer, {}, parameter.origin}));
  const Expr sum = before + batch_weight(builder, dtype) * of(gradient);
  write_sum(path, sum);
  return (sum / cast(weight_, dtype)).value;
}

ValueId Accumulation::loss(ValueId own) {
  const Expr weight = batch_weight(states_.builder(), DType::kF64);
  const Expr sum = of(states_.read_scalar(kMicroLossState)) + weight * of(own);
  write_sum(rule_state_path(kMicroLossState), sum);
  return (sum / weight_).value;
}

std::vector<ValueId> Accumulation::gradient(const std::vector<State>& parameters,
                                            const std::vector<ValueId>& own) {
  const std::string name =
      ++gradients_ == 1 ? kGradientSumState : fmt::format("{}_{}", kGradientSumState, gradients_);
  std::vector<ValueId> means;
  for (std::size_t i = 0; i < own.size(); ++i) means.push_back(summed(parameters[i], own[i], name));
  return means;
}

}  // namespace dlg
