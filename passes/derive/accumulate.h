// Owns gradient accumulation: an update is made from several micro-batches, each of which is one step of the
// program.
#pragma once

#include <map>
#include <vector>

#include "ir/graph/update_rule.h"
#include "ir/ops/expr.h"

namespace dlg {

/// Stands between a rule and the scope it works on. The rule sees the mean gradient, and the mean loss, over
/// the rows of all micro-batches of the update; what it writes takes effect with the last of them, when the
/// sums begin anew. States: the sum of each gradient, the rows in it and the micro-batches so far.
class Accumulation final : public UpdateScope {
 public:
  /// `step_before`: the step counter at the start of the step.
  Accumulation(UpdateScope& scope, ValueId step_before);

  Builder& builder() override { return scope_.builder(); }
  std::size_t parameter_count() const override { return scope_.parameter_count(); }
  const std::string& path(std::size_t parameter) const override { return scope_.path(parameter); }
  ValueId theta(std::size_t parameter) override { return scope_.theta(parameter); }
  ValueId step() override { return scope_.step(); }
  ValueId hyper(const std::string& name) override { return scope_.hyper(name); }
  ValueId state(std::size_t parameter, const std::string& name, double initial) override;
  ValueId scalar_state(const std::string& name, double initial) override;
  ValueId loss() override;
  std::vector<ValueId> gradient(const std::vector<ValueId>& points) override;
  /// No rule with second derivatives gets here: they would be those of one micro-batch.
  ValueId hessian(const std::vector<ValueId>& points) override;
  std::vector<ValueId> derivatives(ValueId e, const std::vector<ValueId>& by) override;
  void set_theta(std::size_t parameter, ValueId value) override;
  void set_state(std::size_t parameter, const std::string& name, ValueId value) override;
  void set_scalar_state(const std::string& name, ValueId value) override;

  /// The step counter after the step: it counts updates.
  ValueId step_after() { return if_due({&builder(), scope_.step()}, step_before_).value; }

 private:
  /// `due` with the last micro-batch, else `held`.
  Expr if_due(Expr due, Expr held);
  Expr of(ValueId value) { return {&builder(), value}; }
  ValueId summed(std::size_t parameter, ValueId gradient, const std::string& name);

  UpdateScope& scope_;
  Expr step_before_;
  Expr is_due_;
  Expr rows_;     // of all micro-batches until now
  ValueId loss_;  // the mean over them; invalid until the rule asks
  std::map<std::vector<ValueId>, std::vector<ValueId>> gradients_;  // by point
};

}  // namespace dlg
