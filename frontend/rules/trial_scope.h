// Owns the stand-in for the update pass while a rule is checked.
#pragma once

#include <string>
#include <vector>

#include "ir/graph/update_rule.h"

namespace dlg {

/// Parameters, gradients and states are states of a graph that nobody keeps.
class TrialScope final : public UpdateScope {
 public:
  /// Over the parameters of `program` but the frozen ones.
  TrialScope(const Graph& program, const std::vector<std::string>& frozen);

  Builder& builder() override { return builder_; }
  std::size_t parameter_count() const override { return parameters_.size(); }
  const std::string& path(std::size_t parameter) const override { return parameters_[parameter].path; }
  ValueId theta(std::size_t parameter) override { return read(parameter, ""); }
  ValueId step() override { return hyper("step"); }
  ValueId hyper(const std::string& name) override;
  ValueId state(std::size_t parameter, const std::string& name, double) override {
    return read(parameter, "." + name);
  }
  ValueId scalar_state(const std::string& name, double) override { return hyper("state." + name); }
  ValueId loss() override { return hyper("loss"); }
  std::vector<ValueId> gradient(const std::vector<ValueId>& points) override;
  ValueId hessian(const std::vector<ValueId>& points) override;
  std::vector<ValueId> derivatives(ValueId e, const std::vector<ValueId>& by) override;
  void set_theta(std::size_t, ValueId) override {}
  void set_state(std::size_t, const std::string&, ValueId) override {}
  void set_scalar_state(const std::string&, ValueId) override {}

  /// Whether the rule looked at second derivatives.
  bool is_second_order() const { return is_second_order_; }

 private:
  ValueId read(std::size_t parameter, const std::string& suffix);

  Graph graph_;
  Builder builder_;
  std::vector<State> parameters_;
  bool is_second_order_ = false;
};

}  // namespace dlg
