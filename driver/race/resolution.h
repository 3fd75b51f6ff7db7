// Owns the smallest difference of two losses that means something: what rounding may make of one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "driver/engine/training_setup.h"
#include "driver/race/contest.h"
#include "ir/ops/interpret.h"

namespace dlg {

/// How finely the objective can be seen in the dtype of the program; for programs of few variables.
class Resolution {
 public:
  explicit Resolution(const TrainingSetup& setup);

  /// How far the objective over all training rows, as it is computed, may lie from the exact one at a point:
  /// a running error bound.
  double at(const std::vector<double>& point) const;
  /// The same, and how much higher it is a few ulps of the variables beside a minimum.
  double around(const std::vector<double>& minimum, double largest_curvature) const;
  /// Half an ulp of 1 in the dtype of the variables.
  double unit() const;

 private:
  Graph graph_;
  Environment<Bound> environment_;
  std::vector<State> parameters_;
};

}  // namespace dlg
