// Owns gradient accumulation: an update is made from several micro-batches, each of which is one step of the
// program.
#pragma once

#include <string>
#include <vector>

#include "ir/ops/expr.h"
#include "passes/derive/updated_states.h"

namespace dlg {

/// Stands between a rule and the states. The rule sees the mean gradient, and the mean loss, over the rows of
/// all micro-batches of the update, each by its weight; what it writes takes effect with the last of them,
/// when the sums begin anew. States: the sum of each gradient, what counts in it and the micro-batches so
/// far.
class Accumulation {
 public:
  /// `batches`: of an update, as f64[].
  Accumulation(UpdatedStates& states, ValueId batches);

  /// The mean of the loss, f64[], over all rows until now.
  ValueId loss(ValueId own);
  /// The mean of the next gradient, one value for each of `parameters`.
  std::vector<ValueId> gradient(const std::vector<State>& parameters, const std::vector<ValueId>& own);
  /// `due` with the last micro-batch, else `held`.
  ValueId if_due(ValueId due, ValueId held) { return if_due(of(due), of(held)).value; }
  /// Whether this is the last one, bool[]; and what counts in the means until now, f64[].
  ValueId is_due() const { return is_due_.value; }
  ValueId weight() const { return weight_.value; }

 private:
  Expr if_due(Expr due, Expr held);
  Expr of(ValueId value) { return {&states_.builder(), value}; }
  ValueId summed(const State& parameter, ValueId gradient, const std::string& name);
  void write_sum(const std::string& path, Expr sum);

  UpdatedStates& states_;
  Expr is_due_;
  Expr weight_;  // of all micro-batches until now: their rows, or the sum of the weights of these
  int gradients_ = 0;
};

}  // namespace dlg
