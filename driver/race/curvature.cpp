#include "driver/race/curvature.h"

#include <algorithm>
#include <cmath>

#include "driver/engine/inspection.h"
#include "driver/engine/programs.h"
#include "driver/race/norm.h"
#include "ir/graph/rewriter.h"
#include "ir/graph/state_values.h"
#include "ir/ops/expr.h"
#include "passes/derive/differentiate.h"
#include "passes/derive/update.h"

namespace dlg {
namespace {

constexpr double kSame = 1e-8;  // relative

/// Outputs `loss`, `gradient` [n] and `hessian` [n, n].
Graph second_order_graph(const TrainingSetup& setup) {
  Graph graph = differentiate(training_graph(setup.program, std::max<std::int64_t>(1, setup.data.rows)));
  Builder builder(graph);
  std::vector<ValueId> first;
  std::vector<ValueId> wrt;
  std::vector<Expr> parts;
  for (const StateValue& parameter : read_parameters(graph)) {
    const auto found = graph.find_output(gradient_output(graph.states[parameter.state].path));
    first.push_back(found ? *found : constant(builder, 0, builder.type(parameter.value)).value);
    wrt.push_back(parameter.value);
    parts.push_back({&builder, first.back()});
  }
  const ValueId hessian = second_derivatives(builder, first, wrt);
  const ValueId loss = *graph.find_output("loss");
  const ValueId gradient = flattened(parts).value;
  graph.outputs = {{"loss", loss}, {"gradient", gradient}, {"hessian", hessian}};
  return compact(graph);
}

/// Up to rounding, of numbers of their own size or of `unit`.
bool are_same(const std::vector<double>& a, const std::vector<double>& b, double unit = 1e-300) {
  std::vector<double> difference;
  for (std::size_t i = 0; i < a.size(); ++i) difference.push_back(a[i] - b[i]);
  return norm_of(difference) <= kSame * std::max({norm_of(a), norm_of(b), unit});
}

bool are_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

/// The solution of a small system by elimination with pivots; not finite where there is none.
std::vector<double> solved(SquareMatrix a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i) {
      if (std::abs(a[i * n + k]) > std::abs(a[pivot * n + k])) pivot = i;
    }
    for (std::size_t j = 0; j < n; ++j) std::swap(a[k * n + j], a[pivot * n + j]);
    std::swap(b[k], b[pivot]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == k) continue;
      const double factor = a[i * n + k] / a[k * n + k];
      for (std::size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
      b[i] -= factor * b[k];
    }
  }
  for (std::size_t k = 0; k < n; ++k) b[k] /= a[k * n + k];
  return b;
}

/// The best point that any run has seen.
std::vector<double> best_point(const Contest& contest) {
  const std::vector<double>* best = &contest.start;
  double smallest = INFINITY;
  for (const RaceRun& run : contest.runs) {
    for (std::size_t i = 0; i < run.losses.size() && i < run.values.size(); ++i) {
      if (!(run.losses[i] < smallest)) continue;
      smallest = run.losses[i];
      best = &run.values[i];
    }
  }
  return {best->begin(), best->begin() + static_cast<std::ptrdiff_t>(contest.variables.size())};
}

/// The Newton step to take off; where a valley is flat along its floor hardly any along it. nullopt where
/// the objective curves downwards, or is flat.
std::optional<std::vector<double>> downward_step(const Expansion& view) {
  constexpr double kFlat = 1e-9;
  if (!are_finite(view.hessian) || !are_finite(view.gradient)) return std::nullopt;
  const std::size_t n = view.gradient.size();
  const std::vector<double> curvatures = symmetric_eigenvalues(view.hessian, n);
  const double flat = kFlat * curvatures.back();
  if (!(curvatures.back() > 0) || curvatures.front() < -flat) return std::nullopt;
  SquareMatrix matrix = view.hessian;
  for (std::size_t k = 0; k < n && curvatures.front() < flat; ++k) matrix[k * n + k] += flat;
  std::vector<double> step = solved(matrix, view.gradient);
  return are_finite(step) ? std::optional(step) : std::nullopt;
}

/// Places at which a quadratic has the same Hessian: around the start, and on the ways of the runs.
std::vector<std::vector<double>> probes(const Contest& contest) {
  constexpr std::size_t kOfARun = 8;
  std::vector<std::vector<double>> places;
  for (int i = 0; i < 3; ++i) {
    std::vector<double> place = contest.start;
    for (std::size_t k = 0; k < place.size(); ++k)
      place[k] += 1.7 * i - 0.4 * static_cast<double>(k) * (i % 2 == 0 ? 1 : -2);
    places.push_back(std::move(place));
  }
  for (const RaceRun& run : contest.runs) {
    const std::size_t stride = std::max<std::size_t>(1, run.values.size() / kOfARun);
    for (std::size_t i = 0; i < run.values.size(); i += stride) {
      const auto begin = run.values[i].begin();
      std::vector<double> place(begin, begin + static_cast<std::ptrdiff_t>(contest.variables.size()));
      if (are_finite(place)) places.push_back(std::move(place));
    }
  }
  return places;
}

/// One step of a rule as a map of all states that it writes, flat.
class RuleMap {
 public:
  RuleMap(const TrainingSetup& setup, const UpdateRule& rule)
      : reference_(apply_update(differentiate(training_graph(setup.program,
                                                             std::max<std::int64_t>(1, setup.data.rows))),
                                rule_over(rule, setup.length)),
                   setup.data.all_values()),
        rows_(setup.data.parts.train) {
    for (const State& state : reference_.graph().states) {
      if (state.kind == StateKind::kParameter) states_.push_back(state);
    }
    for (const State& state : reference_.graph().states) {
      if (state.kind == StateKind::kOptimizer) states_.push_back(state);
    }
    start_ = initial_states(reference_.graph(), setup.plan.seed);
  }

  std::vector<double> after(const std::vector<double>& flat, double steps) {
    StateValues values = start_;
    auto next = flat.begin();
    for (const State& state : states_) {
      const auto end = next + state.type.shape.elements();
      values[state.path] = {next, end};
      next = end;
    }
    values["step"] = {steps};
    reference_.set_states(values);
    reference_.run_rows(rows_);
    const StateValues written = reference_.states();
    std::vector<double> result;
    for (const State& state : states_) {
      const std::vector<double>& part = written.at(state.path);
      result.insert(result.end(), part.begin(), part.end());
    }
    return result;
  }

  /// The parameters at `point`, the states of the rule as they start.
  std::vector<double> start_at(const std::vector<double>& point) const {
    std::vector<double> flat = point;
    for (const State& state : states_) {
      if (state.kind != StateKind::kOptimizer) continue;
      const std::vector<double>& part = start_.at(state.path);
      flat.insert(flat.end(), part.begin(), part.end());
    }
    return flat;
  }

 private:
  Reference reference_;
  std::vector<std::int64_t> rows_;
  std::vector<State> states_;
  StateValues start_;
};

/// The matrix of the map around `at`, where the map is linear and does not depend on the step; else nullopt.
std::optional<SquareMatrix> linear_part(RuleMap& map, const std::vector<double>& at) {
  constexpr double kSteps = 3;
  const std::size_t n = at.size();
  if (!are_same(map.after(at, kSteps), at, 1)) return std::nullopt;
  SquareMatrix matrix(n * n);
  std::vector<double> mixed = at;
  std::vector<double> expected = at;
  for (std::size_t j = 0; j < n; ++j) {
    std::vector<double> moved = at;
    moved[j] += 1;
    const std::vector<double> column = map.after(moved, kSteps);
    const double share = 0.7 * static_cast<double>(j + 1) * (j % 2 == 0 ? 1 : -1);
    mixed[j] += share;
    for (std::size_t i = 0; i < n; ++i) {
      matrix[i * n + j] = column[i] - at[i];
      expected[i] += share * matrix[i * n + j];
    }
  }
  const bool is_linear = are_finite(matrix) && are_same(map.after(mixed, kSteps), expected, 1) &&
                         are_same(map.after(mixed, 1000), expected, 1);
  return is_linear ? std::optional(matrix) : std::nullopt;
}

/// s where the map is x - s H x; nullopt for any other map.
std::optional<double> fixed_step_of(const SquareMatrix& map, const SquareMatrix& hessian, std::size_t n) {
  if (map.size() != hessian.size()) return std::nullopt;
  double trace_map = 0;
  double trace_hessian = 0;
  for (std::size_t i = 0; i < n; ++i) {
    trace_map += 1 - map[i * n + i];
    trace_hessian += hessian[i * n + i];
  }
  const double step = trace_map / trace_hessian;
  SquareMatrix expected = hessian;
  for (std::size_t i = 0; i < n * n; ++i) expected[i] = (i % (n + 1) == 0 ? 1 : 0) - step * hessian[i];
  return are_same(map, expected, 1) ? std::optional(step) : std::nullopt;
}

}  // namespace

double Landscape::best_factor() const {
  const double spread = curvatures.back() / curvatures.front();
  const double contraction = (spread - 1) / (spread + 1);
  return contraction * contraction;
}

CurvatureStudy::CurvatureStudy(const TrainingSetup& setup)
    : setup_(setup),
      parameters_(trained_parameters(setup.program.graph)),
      rows_(setup.data.parts.train),
      second_order_(second_order_graph(setup), setup.data.all_values()),
      resolution_(setup) {
  second_order_.set_states(initial_states(setup.program.graph, setup.plan.seed));
}

StateValues CurvatureStudy::states_at(const std::vector<double>& point) const {
  StateValues states;
  auto next = point.begin();
  for (const State& state : parameters_) {
    const auto end = next + state.type.shape.elements();
    states[state.path] = {next, end};
    next = end;
  }
  return states;
}

Expansion CurvatureStudy::at(const std::vector<double>& point) {
  second_order_.set_states(states_at(point));
  second_order_.run_rows(rows_);
  return {second_order_.output("loss").front(), second_order_.output("gradient"),
          second_order_.output("hessian")};
}

/// Goes along a Newton step as far as it leads down; false where it does not.
bool CurvatureStudy::goes_down(std::vector<double>& point, Expansion& view, const std::vector<double>& step) {
  for (double share = 1; share > 1e-4; share /= 2) {
    std::vector<double> next = point;
    for (std::size_t k = 0; k < next.size(); ++k) next[k] -= share * step[k];
    Expansion there = at(next);
    if (!(there.value < view.value)) continue;
    point = std::move(next);
    view = std::move(there);
    return true;
  }
  return false;
}

/// Goes a whole Newton step where the value hides behind rounding and the gradient shows still how far it is.
bool CurvatureStudy::levels_out(std::vector<double>& point, Expansion& view,
                                const std::vector<double>& step) {
  std::vector<double> next = point;
  for (std::size_t k = 0; k < next.size(); ++k) next[k] -= step[k];
  Expansion there = at(next);
  const bool is_higher = !(there.value <= view.value + 2 * resolution_.at(point));
  if (is_higher || !(norm_of(there.gradient) < norm_of(view.gradient))) return false;
  point = std::move(next);
  view = std::move(there);
  return true;
}

std::optional<Minimum> CurvatureStudy::minimum_beside(const std::vector<double>& point,
                                                      const std::vector<double>& start) {
  constexpr int kSteps = 100;
  constexpr int kPolishes = 4;
  constexpr double kAlmost = 1e-10;  // of the way down from the start may be left
  constexpr double kShort = 1e-3;    // of the distance from the start
  constexpr double kNothing = 1e-6;  // of the numbers that it starts with
  std::vector<double> here = point;
  Expansion view = at(here);
  std::optional<std::vector<double>> step = downward_step(view);
  for (int i = 0; i < kSteps && step && goes_down(here, view, *step); ++i) step = downward_step(view);
  for (int i = 0; i < kPolishes && step && levels_out(here, view, *step); ++i) step = downward_step(view);
  if (!step) return std::nullopt;
  double gain = 0;
  std::vector<double> way = here;
  for (std::size_t k = 0; k < here.size(); ++k) {
    gain += 0.5 * (*step)[k] * view.gradient[k];
    way[k] -= start[k];
  }
  const double scale = std::abs(at(start).value - view.value);
  const double floor = resolution_.at(here);
  // Where steps stay long although little is gained, the minimum lies at no finite place.
  const bool is_close = norm_of(*step) <= std::max(kShort * norm_of(way), kNothing * norm_of(start));
  if (!is_close || gain > kAlmost * scale + floor) return std::nullopt;
  const std::vector<double> curvatures = symmetric_eigenvalues(view.hessian, here.size());
  return Minimum{here, view.value, curvatures, resolution_.around(here, curvatures.back())};
}

Landscape CurvatureStudy::survey(const Contest& contest) {
  Landscape landscape;
  const std::size_t n = contest.variables.size();
  landscape.minimum = minimum_beside(best_point(contest), contest.start);
  const std::vector<double>& place = landscape.minimum ? landscape.minimum->point : contest.start;
  const Expansion here = at(place);
  if (!are_finite(here.hessian)) return landscape;
  landscape.curvatures = symmetric_eigenvalues(here.hessian, n);
  landscape.is_quadratic = true;
  for (const std::vector<double>& other : probes(contest)) {
    if (!are_same(at(other).hessian, here.hessian)) landscape.is_quadratic = false;
  }
  return landscape;
}

std::optional<Forecast> CurvatureStudy::forecast(const UpdateRule& rule, const Landscape& landscape) {
  if (!landscape.is_convex_quadratic() || !landscape.minimum) return std::nullopt;
  RuleMap map(setup_, rule);
  const std::vector<double> rest = map.start_at(landscape.minimum->point);
  const std::optional<SquareMatrix> matrix = linear_part(map, rest);
  if (!matrix) return std::nullopt;
  const double radius = spectral_radius(*matrix, rest.size());
  const std::size_t n = landscape.minimum->point.size();
  return Forecast{radius * radius, fixed_step_of(*matrix, at(landscape.minimum->point).hessian, n)};
}

}  // namespace dlg
