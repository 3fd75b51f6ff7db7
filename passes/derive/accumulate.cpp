#include "passes/derive/accumulate.h"

#include <fmt/format.h>

#include "ir/graph/rule_states.h"
#include "support/check.h"

namespace dlg {
Accumulation::Accumulation(UpdateScope& scope, ValueId step_before)
    : scope_(scope), step_before_{&scope.builder(), step_before} {
  const Expr batches = of(scope.scalar_state(kMicroBatchesState, 0)) + 1.0;
  is_due_ = compare(">=", batches, of(scope.hyper(kAccumulateHyper)));
  // Through a cast, the sum is no scalar of leaves that each kernel would compute for itself, which no update
  // could be fused with: the state would have to be read before what it is written with is known.
  rows_ = of(scope.scalar_state(kMicroRowsState, 0)) + cast(batch_rows(builder(), DType::kI64), DType::kF64);
  scope.set_scalar_state(kMicroBatchesState, if_due(constant_like(batches, 0), batches).value);
  scope.set_scalar_state(kMicroRowsState, if_due(constant_like(rows_, 0), rows_).value);
}

Expr Accumulation::if_due(Expr due, Expr held) {
  return select(broadcast_to(is_due_, due.shape()), due, held);
}

ValueId Accumulation::state(std::size_t parameter, const std::string& name, double initial) {
  return scope_.state(parameter, name, initial);
}

ValueId Accumulation::scalar_state(const std::string& name, double initial) {
  return scope_.scalar_state(name, initial);
}

/// Adds this micro-batch to the sum; the mean over all rows in it.
ValueId Accumulation::summed(std::size_t parameter, ValueId gradient, const std::string& name) {
  const DType dtype = builder().type(gradient).dtype;
  const Expr rows = batch_rows(builder(), dtype);
  const Expr sum = of(scope_.state(parameter, name, 0)) + rows * of(gradient);
  scope_.set_state(parameter, name, if_due(constant_like(sum, 0), sum).value);
  return (sum / cast(rows_, dtype)).value;
}

ValueId Accumulation::loss() {
  if (loss_.is_valid()) return loss_;
  const Expr own = cast(of(scope_.loss()), DType::kF64);
  const Expr sum = of(scope_.scalar_state(kMicroLossState, 0)) + batch_rows(builder(), DType::kF64) * own;
  scope_.set_scalar_state(kMicroLossState, if_due(constant_like(sum, 0), sum).value);
  loss_ = (sum / rows_).value;
  return loss_;
}

std::vector<ValueId> Accumulation::gradient(const std::vector<ValueId>& points) {
  const auto [place, is_new] = gradients_.try_emplace(points);
  if (!is_new) return place->second;
  const std::string name =
      gradients_.size() == 1 ? kGradientSumState : fmt::format("{}_{}", kGradientSumState, gradients_.size());
  const std::vector<ValueId> own = scope_.gradient(points);
  for (std::size_t i = 0; i < own.size(); ++i) place->second.push_back(summed(i, own[i], name));
  return place->second;
}

ValueId Accumulation::hessian(const std::vector<ValueId>&) {
  DLG_CHECK(false, "second derivatives with accumulation");
  return {};
}

std::vector<ValueId> Accumulation::derivatives(ValueId, const std::vector<ValueId>&) {
  DLG_CHECK(false, "second derivatives with accumulation");
  return {};
}

void Accumulation::set_theta(std::size_t parameter, ValueId value) {
  scope_.set_theta(parameter, if_due(of(value), of(scope_.theta(parameter))).value);
}

void Accumulation::set_state(std::size_t parameter, const std::string& name, ValueId value) {
  // A state that is written has been read: its initial value is known.
  scope_.set_state(parameter, name, if_due(of(value), of(scope_.state(parameter, name, 0))).value);
}

void Accumulation::set_scalar_state(const std::string& name, ValueId value) {
  scope_.set_scalar_state(name, if_due(of(value), of(scope_.scalar_state(name, 0))).value);
}

}  // namespace dlg
