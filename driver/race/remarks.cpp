#include "driver/race/remarks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "driver/race/norm.h"
#include "support/text.h"

namespace dlg {
namespace {

/// The variables of a run after its kept step `i`; without the states of the rule.
std::vector<double> point_at(const RaceRun& run, std::size_t i, std::size_t variables) {
  return {run.values[i].begin(), run.values[i].begin() + static_cast<std::ptrdiff_t>(variables)};
}

std::vector<double> difference(std::vector<double> a, const std::vector<double>& b) {
  for (std::size_t k = 0; k < a.size(); ++k) a[k] -= b[k];
  return a;
}

std::string divergence_remark(const Standing& standing, const Landscape* landscape) {
  const int direction = direction_of(*standing.run);
  if (direction < 0) return "the loss falls without end";
  if (!standing.forecast || standing.forecast->factor <= 1) {
    return "the loss grows without end";
  }
  if (!standing.forecast->fixed_step) {
    return fmt::format("unstable on this quadratic: expected R {} is above 1",
                       factor_text(standing.forecast->factor));
  }
  return fmt::format("the step {:.6g} is above the limit 2/lambda_max = {:.6g}",
                     *standing.forecast->fixed_step, landscape->step_limit());
}

/// Between which losses the last quarter of a run moves. From the minimum where that is known, else as they
/// are.
std::string jitter_remark(const Standing& standing) {
  const std::vector<double>& losses = standing.run->losses;
  const auto quarter = static_cast<std::ptrdiff_t>(losses.size() / 4);
  const auto [low, high] = std::minmax_element(losses.end() - quarter, losses.end());
  const double base = standing.minimum ? standing.minimum->value : 0;
  const double floor = standing.minimum ? standing.minimum->floor : 0;
  const auto shown = [&](double loss) {
    return standing.minimum && loss - base <= floor ? "0" : rounded_text(loss - base, 3);
  };
  const std::string what = standing.minimum ? "f - f*" : "loss";
  const std::string below = shown(*low);
  const std::string above = shown(*high);
  if (below == above) {
    return fmt::format("jitters: {} stays at {} over the last {} steps, the point moves", what, above,
                       quarter);
  }
  return fmt::format("jitters: {} {} to {} over the last {} steps", what, below, above, quarter);
}

/// Whether the last steps are one and the same: straight ahead.
bool is_steady(const RaceRun& run, std::size_t variables) {
  constexpr double kSame = 1e-3;
  const std::size_t steps = run.values.size() - 1;
  const std::size_t shown = std::max<std::size_t>(2, steps / 4);
  const auto step = [&](std::size_t i) {
    return difference(point_at(run, i, variables), point_at(run, i - 1, variables));
  };
  const std::vector<double> last = step(steps);
  // A velocity is approached: the last two agree, and none of the last quarter points elsewhere.
  if (norm_of(difference(last, step(steps - 1))) > kSame * norm_of(last)) return false;
  for (std::size_t i = steps - shown + 1; i < steps; ++i) {
    const std::vector<double> other = step(i);
    double product = 0;
    for (std::size_t k = 0; k < variables; ++k) product += last[k] * other[k];
    if (!(product > 0)) return false;
  }
  return norm_of(last) > 0;
}

/// What the place where a run stands is, if it is no minimum.
std::string place_remark(const Rate& rate, const std::vector<double>& curvatures) {
  const bool stands = rate.kind == Rate::Kind::kStalls;
  const double low = curvatures.front();
  const double high = curvatures.back();
  if (low < 0 && high > 0) {
    return fmt::format("{} a saddle: curvatures {:.3g} and {:.3g}", stands ? "stands on" : "is beside", low,
                       high);
  }
  if (high < 0) return fmt::format("{} a maximum", stands ? "stands on" : "is beside");
  return "";
}

/// What a run shows where there is no minimum: a saddle it came to, or the speed that it ended with.
std::string open_remark(const Contest& contest, const Standing& standing, CurvatureStudy& study) {
  constexpr double kFlat = 1e-4;
  const RaceRun& run = *standing.run;
  const std::size_t variables = contest.variables.size();
  if (run.values.size() < 4) return "";
  const Expansion first = study.at(contest.start);
  const Expansion here = study.at(point_at(run, run.values.size() - 1, variables));
  const bool is_finite =
      std::all_of(here.hessian.begin(), here.hessian.end(), [](double x) { return std::isfinite(x); });
  if (!is_finite) return "";
  const std::vector<double> curvatures = symmetric_eigenvalues(here.hessian, variables);
  if (norm_of(here.gradient) <= kFlat * norm_of(first.gradient)) {
    const std::string place = place_remark(standing.rate, curvatures);
    if (!place.empty()) return place;
  }
  const bool is_plane = curvatures.front() == 0 && curvatures.back() == 0;
  if (!is_plane || !is_steady(run, variables)) return "";
  const auto speed = [&](std::size_t i) {
    return norm_of(difference(point_at(run, i, variables), point_at(run, i - 1, variables)));
  };
  const double last = speed(run.values.size() - 1);
  return fmt::format("terminal velocity {:.4g} a step, {:.3g} times the first", last, last / speed(1));
}

/// A run that goes to a minimum above the best one.
std::string minimum_remark(const Standing& standing, const Landscape* landscape,
                           const std::vector<double>& start) {
  if (landscape == nullptr || !landscape->minimum || !standing.minimum) return "";
  const Minimum& best = *landscape->minimum;
  const double above = standing.minimum->value - best.value;
  if (above <= 2 * std::max(best.floor, standing.minimum->floor)) return "";
  // Of one flat minimum Newton's steps leave off here and there.
  constexpr double kApart = 1e-4;
  const double apart = norm_of(difference(standing.minimum->point, best.point));
  if (apart <= kApart * norm_of(difference(start, best.point))) return "";
  return fmt::format("at another minimum {:.4g} (best known {:.4g})", standing.minimum->value, best.value);
}

/// Whether the point does not move any more.
bool run_stands(const RaceRun& run, std::size_t from) {
  if (from + 2 >= run.values.size()) return false;
  return std::all_of(run.values.begin() + static_cast<std::ptrdiff_t>(from), run.values.end(),
                     [&](const std::vector<double>& values) { return values == run.values[from]; });
}

/// Where the rate ends, or why there is none.
std::string rest_remark(const Standing& standing) {
  constexpr double kSudden = 1e4;
  const Rate& rate = standing.rate;
  if (!rate.rest) return "";
  if (*rate.rest == 0) return "starts at a minimum";
  const std::int64_t step = standing.run->at[static_cast<std::size_t>(*rate.rest)];
  const double e = standing.run->losses[static_cast<std::size_t>(*rate.rest)] - standing.minimum->value;
  const bool stands = run_stands(*standing.run, static_cast<std::size_t>(*rate.rest));
  if (e > standing.minimum->floor && stands) {
    return fmt::format("stands still from step {} on: the steps are lost in rounding", step);
  }
  const std::vector<double>& losses = standing.run->losses;
  const double before = losses[static_cast<std::size_t>(*rate.rest) - 1] - standing.minimum->value;
  const bool is_sudden =
      rate.kind == Rate::Kind::kUnknown && before > kSudden * standing.minimum->floor && e < before / kSudden;
  if (is_sudden) return fmt::format("comes upon the minimum in step {}", step);
  return rate.kind == Rate::Kind::kAtOnce ? "" : fmt::format("at rounding from step {} on", step);
}

}  // namespace

int direction_of(const RaceRun& run) {
  constexpr double kFar = 2;
  const auto last =
      std::find_if(run.losses.rbegin(), run.losses.rend(), [](double x) { return std::isfinite(x); });
  if (last == run.losses.rend()) return 0;
  const double first = run.losses.front();
  if (*last > first + (kFar - 1) * std::abs(first)) return 1;
  return *last < first - kFar * std::abs(first) ? -1 : 0;
}

std::string remark_of(const Standing& standing, const RaceReport& report, CurvatureStudy* study) {
  const RaceRun& run = *standing.run;
  const Landscape* landscape = report.landscape ? &*report.landscape : nullptr;
  if (run.end == TrainEnd::kInterrupted)
    return fmt::format("interrupted after {}", counted(run.steps, "step"));
  if (standing.rate.kind == Rate::Kind::kDiverges) return divergence_remark(standing, landscape);
  if (run.end == TrainEnd::kDiverged) return "a number is not finite: stopped";
  std::vector<std::string> remarks;
  if (standing.rate.kind == Rate::Kind::kJitters) remarks.push_back(jitter_remark(standing));
  remarks.push_back(minimum_remark(standing, landscape, report.contest->start));
  if (standing.forecast) remarks.push_back("expected R " + factor_text(standing.forecast->factor));
  if (standing.minimum) remarks.push_back(rest_remark(standing));
  if (run.end == TrainEnd::kLossBelow && !standing.is_at_target)
    remarks.push_back("stopped by the mean loss of its batches");
  std::erase(remarks, "");
  const bool is_open = study != nullptr && remarks.empty() && !standing.is_at_target;
  if (is_open) return open_remark(*report.contest, standing, *study);
  return join_text(remarks, "; ");
}

}  // namespace dlg
