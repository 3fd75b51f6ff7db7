// Owns what the second derivatives say about a race of few variables: the point below all paths, whether the
// objective is a quadratic, and what its theory expects of each rule.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/engine/machine.h"
#include "driver/engine/reference.h"
#include "driver/race/contest.h"
#include "driver/race/eigenvalues.h"
#include "driver/race/resolution.h"

namespace dlg {

/// Value, gradient and Hessian in f64 by the reference engine.
struct Expansion {
  double value = 0;
  std::vector<double> gradient;
  SquareMatrix hessian;
};

/// A minimum of the objective.
struct Minimum {
  std::vector<double> point;
  double value = 0;
  std::vector<double> curvatures;  // ascending
  double floor = 0;                // differences of the loss up to it are rounding there
};

/// What is known of the objective.
struct Landscape {
  std::optional<Minimum> minimum;  // where Newton steps from the best point end, if it is one
  std::vector<double> curvatures;  // the eigenvalues of the Hessian there, or at the start
  bool is_quadratic = false;       // the same Hessian everywhere that was looked

  bool is_convex_quadratic() const { return is_quadratic && !curvatures.empty() && curvatures.front() > 0; }
  /// 2 / (smallest + largest), of a convex quadratic; and the factor it reaches.
  double best_step() const { return 2 / (curvatures.front() + curvatures.back()); }
  double best_factor() const;
  /// 2 / largest.
  double step_limit() const { return 2 / curvatures.back(); }
};

/// What theory says of a rule on a convex quadratic, where the rule is a linear map of parameters and states.
struct Forecast {
  double factor = 0;                 // per step of f - f*, once the slowest direction is left
  std::optional<double> fixed_step;  // the rule steps by this along the gradient
};

/// Studies one objective; for programs of few variables whose steps see all rows.
class CurvatureStudy {
 public:
  explicit CurvatureStudy(const TrainingSetup& setup);

  Expansion at(const std::vector<double>& point);
  Landscape survey(const Contest& contest);
  /// The minimum beside a point: where Newton steps that go down end, if they do. `start` gives the scale.
  std::optional<Minimum> minimum_beside(const std::vector<double>& point, const std::vector<double>& start);
  const Resolution& resolution() const { return resolution_; }
  /// nullopt where the rule is no linear map: adam, or a rule that looks at `step`.
  std::optional<Forecast> forecast(const UpdateRule& rule, const Landscape& landscape);

 private:
  StateValues states_at(const std::vector<double>& point) const;
  bool goes_down(std::vector<double>& point, Expansion& view, const std::vector<double>& step);
  bool levels_out(std::vector<double>& point, Expansion& view, const std::vector<double>& step);

  const TrainingSetup& setup_;
  std::vector<State> parameters_;
  std::vector<std::int64_t> rows_;
  Reference second_order_;
  Resolution resolution_;
};

}  // namespace dlg
