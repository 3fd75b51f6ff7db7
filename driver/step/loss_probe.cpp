#include "driver/step/loss_probe.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "ir/graph/rewriter.h"

namespace dlg {
namespace {

/// Steps of the differences, relative to the entry.
constexpr double kStep = 1e-3;
constexpr std::array<double, 4> kShorterSteps{1e-4, 1e-5, 1e-6, 1e-7};
/// A loss is rounded to so many units of its last place.
constexpr double kRoundings = 30 * std::numeric_limits<double>::epsilon();
/// A slope that grows so much where the step shrinks to a tenth is that of a jump.
constexpr double kJump = 5;

/// The slopes of a kink differ by so many tolerances; less may be rounding.
constexpr double kPlainly = 1000;

/// The loss as a function of one entry, around its value.
using Along = std::function<double(double offset)>;

/// (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h; the error is of order h^4.
double central_difference(const Along& f, double h) {
  return (f(-2 * h) - 8 * f(-h) + 8 * f(h) - f(2 * h)) / (12 * h);
}

/// (-25 f(0) + 48 f(h) - 36 f(2h) + 16 f(3h) - 3 f(4h)) / 12h, which looks at one side only; the error is of
/// order h^4. A negative h looks to the left.
double one_sided_difference(const Along& f, double h) {
  return (-25 * f(0) + 48 * f(h) - 36 * f(2 * h) + 16 * f(3 * h) - 3 * f(4 * h)) / (12 * h);
}

/// (-3 f(0) + 4 f(h) - f(2h)) / 2h: a rough slope of one side from the points of the central difference.
double rough_slope(const Along& f, double h) {
  return (-3 * f(0) + 4 * f(h) - f(2 * h)) / (2 * h);
}

/// A side without a loss differs, too.
bool differs_plainly(const Kink& kink, double tolerance) {
  return !(std::abs(kink.left - kink.right) <= kPlainly * tolerance);
}

/// (-26 f(h) + 57 f(2h) - 42 f(3h) + 11 f(4h)) / 6h: the slope of one side, without the point itself.
double slope_beside(const Along& f, double h) {
  return (-26 * f(h) + 57 * f(2 * h) - 42 * f(3 * h) + 11 * f(4 * h)) / (6 * h);
}

bool grows(double before, double now, double least) {
  return std::abs(now) > std::max(least, kJump * std::abs(before));
}

/// A number that is none is as far from every other as can be.
double distance_of(double difference, double derivative) {
  const double distance = std::abs(difference - derivative);
  return std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
}

/// How far `x` lies outside of what is between two numbers; a NaN among them is left out.
double distance_between(double x, double a, double b) {
  return std::max({0.0, std::fmin(a, b) - x, x - std::fmax(a, b)});
}

/// What the derivative is away from when the loss is not smooth.
double distance_at(const Kink& kink, double derivative) {
  if (std::isfinite(derivative)) return distance_between(derivative, kink.left, kink.right);
  const bool is_corner = !kink.is_jump && std::isfinite(kink.left) && std::isfinite(kink.right);
  return is_corner ? 0 : std::numeric_limits<double>::infinity();
}

}  // namespace

LossProbe::LossProbe(const TrainingSetup& setup)
    : reference_(with_outputs(setup.program.graph, {{"loss", *setup.program.graph.find_output("loss")}}),
                 setup.data.all_values()),
      batch_(batch_of_step(setup.plan, 0)) {}

SlopeComparison LossProbe::compare(const StateValues& states, const ParameterEntry& entry, double derivative,
                                   double tolerance) {
  StateValues moved = states;
  double& value = moved.at(entry.path).at(entry.element);
  const double x = value;
  const double unit = std::max(1.0, std::abs(x));
  std::map<double, double> known;
  const Along loss = [&](double offset) {
    const auto [found, is_new] = known.emplace(offset, 0);
    if (!is_new) return found->second;
    value = x + offset;
    reference_.set_states(moved);
    reference_.run_rows(batch_);
    return found->second = reference_.output("loss").front();
  };
  const double distance = distance_of(central_difference(loss, kStep * unit), derivative);
  const bool is_close = distance <= tolerance;
  // At a kink the central difference is the mean of both slopes, and so may be the derivative.
  const Kink rough{rough_slope(loss, -kStep * unit), rough_slope(loss, kStep * unit)};
  if (is_close && !differs_plainly(rough, tolerance)) return {distance, std::nullopt};
  const double rounding = kRoundings * std::abs(loss(0));
  std::optional<Kink> kink;
  std::optional<Kink> before;
  double least = tolerance;
  double h = 0;
  double smallest = std::numeric_limits<double>::infinity();  // spread of the differences of one step
  double nearest = distance;                                  // of the central difference there
  for (const double step : kShorterSteps) {
    // Shorter steps would show the rounding of the loss.
    if (kink && rounding / (step * unit) > tolerance) break;
    h = step * unit;
    least = std::max(tolerance, rounding / h);
    before = kink;
    kink = Kink{one_sided_difference(loss, -h), one_sided_difference(loss, h)};
    const double central = central_difference(loss, h);
    const double spread = std::max(std::abs(kink->left - kink->right), std::abs(kink->left - central));
    if (spread < smallest) {
      smallest = spread;
      nearest = distance_of(central, derivative);
    }
    if (spread <= least) break;
  }
  if (smallest <= least) return {is_close ? distance : nearest, std::nullopt};
  const bool is_jump =
      before && (grows(before->left, kink->left, least) || grows(before->right, kink->right, least));
  if (!is_jump && !differs_plainly(*kink, tolerance)) return {is_close ? distance : nearest, std::nullopt};
  if (is_jump) kink = Kink{slope_beside(loss, -h), slope_beside(loss, h), true};
  return {distance_at(*kink, derivative), kink};
}

}  // namespace dlg
