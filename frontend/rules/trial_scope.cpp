#include "frontend/rules/trial_scope.h"

#include <algorithm>

#include "ir/ops/registry.h"

namespace dlg {

TrialScope::TrialScope(const Graph& program, const std::vector<std::string>& frozen) : builder_(graph_) {
  for (const State& state : program.states) {
    const bool is_frozen = std::find(frozen.begin(), frozen.end(), state.path) != frozen.end();
    if (state.kind == StateKind::kParameter && !is_frozen) parameters_.push_back(state);
  }
}

ValueId TrialScope::hyper(const std::string& name) {
  return builder_.add(ops::hyper, {}, HyperName{name});
}

std::vector<ValueId> TrialScope::gradient(const std::vector<ValueId>& points) {
  std::vector<ValueId> gradients;
  for (std::size_t i = 0; i < points.size(); ++i) gradients.push_back(read(i, ".gradient"));
  return gradients;
}

ValueId TrialScope::hessian(const std::vector<ValueId>& points) {
  is_second_order_ = true;
  std::int64_t count = 0;
  for (const ValueId point : points) count += builder_.type(point).shape.elements();
  const DType dtype = builder_.type(points.front()).dtype;
  return builder_.add(ops::state, {}, LeafPath{".hessian"}, {dtype, {count, count}});
}

std::vector<ValueId> TrialScope::derivatives(ValueId, const std::vector<ValueId>& by) {
  is_second_order_ = true;
  return gradient(by);
}

ValueId TrialScope::read(std::size_t parameter, const std::string& suffix) {
  const State& theta = parameters_[parameter];
  return builder_.add(ops::state, {}, LeafPath{theta.path + suffix}, theta.type);
}

}  // namespace dlg
