#include "driver/race/rate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace dlg {
namespace {

/// A straight line through points, by least squares.
struct Line {
  double slope = 0;
  double residual = 0;  // sum of squares
};

Line fit_line(const std::vector<double>& xs, const std::vector<double>& ys) {
  const auto count = static_cast<double>(xs.size());
  double mean_x = 0;
  double mean_y = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    mean_x += xs[i] / count;
    mean_y += ys[i] / count;
  }
  double xx = 0;
  double xy = 0;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    xx += (xs[i] - mean_x) * (xs[i] - mean_x);
    xy += (xs[i] - mean_x) * (ys[i] - mean_y);
  }
  Line line{xx > 0 ? xy / xx : 0, 0};
  for (std::size_t i = 0; i < xs.size(); ++i) {
    const double miss = ys[i] - mean_y - line.slope * (xs[i] - mean_x);
    line.residual += miss * miss;
  }
  return line;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double rises(const std::vector<double>& values) {
  double count = 0;
  for (std::size_t i = 1; i < values.size(); ++i) count += values[i] > values[i - 1] ? 1 : 0;
  return count / static_cast<double>(values.size());
}

/// e up to where rounding hides it; nothing behind a value that is not finite.
std::vector<double> distances(const std::vector<double>& losses, double smallest) {
  constexpr double kRounding = 1e-15;
  std::vector<double> e;
  for (const double loss : losses) {
    if (!std::isfinite(loss)) break;
    e.push_back(loss - smallest);
    const double floor = kRounding * std::max({std::abs(e.front()), std::abs(smallest), 1e-300});
    if (e.back() <= floor) break;
  }
  return e;
}

bool does_diverge(const std::vector<double>& losses, const std::vector<double>& e) {
  const bool is_cut = e.size() < losses.size() && !std::isfinite(losses[e.size()]);
  if (is_cut || e.back() > 10 * e.front()) return true;
  const std::size_t half = e.size() / 2;
  const std::vector<double> tail(e.begin() + static_cast<std::ptrdiff_t>(half), e.end());
  return tail.size() > 4 && rises(tail) > 0.9 && tail.back() > 2 * tail.front();
}

/// Whether the last ratios of e fall as squaring makes them fall.
bool is_quadratic(const std::vector<double>& e) {
  constexpr double kAtOnce = 1e-10;
  constexpr double kOrder = 1.6;  // of convergence; squaring has 2
  constexpr double kFall = 1e-3;  // over the last steps together; a wave of momentum dips less
  constexpr std::size_t kRatios = 3;
  constexpr std::size_t kSmooth = 8;
  const std::size_t count = e.size();
  if (count >= 2 && e[count - 1] <= kAtOnce * e[count - 2]) return true;
  if (count < kRatios + 1) return false;
  const auto smooth = static_cast<std::ptrdiff_t>(std::min(count, kSmooth));
  if (rises({e.end() - smooth, e.end()}) > 0) return false;
  double before = 0.9;
  for (std::size_t i = count - kRatios; i < count; ++i) {
    const double ratio = e[i] / e[i - 1];
    if (!(ratio < std::pow(before, kOrder))) return false;
    before = ratio;
  }
  return e[count - 1] < kFall * e[count - 1 - kRatios];
}

/// e has not moved in the second half of its steps.
bool does_stall(const std::vector<double>& e) {
  constexpr std::size_t kFewest = 10;
  constexpr double kMoved = 1e-6;
  if (e.size() < kFewest) return false;
  const auto [low, high] =
      std::minmax_element(e.begin() + static_cast<std::ptrdiff_t>(e.size() / 2), e.end());
  return *high - *low <= kMoved * *high;
}

/// e in its last quarter is where it was in the quarter before, and goes up and down.
bool does_jitter(const std::vector<double>& e) {
  constexpr std::size_t kFewest = 40;
  if (e.size() < kFewest) return false;
  const auto quarter = static_cast<std::ptrdiff_t>(e.size() / 4);
  const std::vector<double> last(e.end() - quarter, e.end());
  const std::vector<double> third(e.end() - 2 * quarter, e.end() - quarter);
  return rises(last) > 0.1 && median(last) > 0.7 * median(third);
}

}  // namespace

Rate estimate_rate(const std::vector<double>& losses, double smallest) {
  constexpr std::size_t kFewest = 10;
  constexpr double kSteepest = 2.5;
  constexpr double kFlattest = 0.05;
  const std::vector<double> e = distances(losses, smallest);
  Rate rate;
  if (e.size() < 2 || !(e.front() > 0)) return rate;
  if (does_diverge(losses, e)) rate.kind = Rate::Kind::kDiverges;
  if (rate.kind == Rate::Kind::kUnknown && is_quadratic(e)) rate.kind = Rate::Kind::kQuadratic;
  if (rate.kind == Rate::Kind::kUnknown && does_stall(e)) rate.kind = Rate::Kind::kStalls;
  if (rate.kind == Rate::Kind::kUnknown && does_jitter(e)) rate.kind = Rate::Kind::kJitters;
  if (rate.kind != Rate::Kind::kUnknown || e.size() < kFewest) return rate;
  std::vector<double> steps;
  std::vector<double> log_steps;
  std::vector<double> log_e;
  for (std::size_t k = std::max<std::size_t>(1, e.size() / 10); k < e.size(); ++k) {
    if (!(e[k] > 0)) continue;
    steps.push_back(static_cast<double>(k));
    log_steps.push_back(std::log(static_cast<double>(k)));
    log_e.push_back(std::log(e[k]));
  }
  const Line linear = fit_line(steps, log_e);
  const Line power = fit_line(log_steps, log_e);
  rate.power = -power.slope;
  // Steeper powers are curves of a linear rate that has not settled; flatter ones are none.
  const bool is_power = power.residual < linear.residual && rate.power <= kSteepest;
  rate.kind = is_power ? Rate::Kind::kPower : Rate::Kind::kLinear;
  if (rate.power < kFlattest) rate.kind = rises(e) > 0.1 ? Rate::Kind::kJitters : Rate::Kind::kStalls;
  const auto half = static_cast<std::ptrdiff_t>(steps.size() / 2);
  rate.factor =
      std::exp(fit_line({steps.begin() + half, steps.end()}, {log_e.begin() + half, log_e.end()}).slope);
  return rate;
}

std::int64_t count_crossings(const std::vector<double>& xs, double axis) {
  std::int64_t crossings = 0;
  double side = 0;
  for (const double x : xs) {
    const double now = x - axis;
    if (!(now != 0) || !std::isfinite(now)) continue;
    if (side * now < 0) ++crossings;
    side = now > 0 ? 1 : -1;
  }
  return crossings;
}

std::string rate_text(const Rate& rate) {
  switch (rate.kind) {
    case Rate::Kind::kQuadratic:
      return "quadratic";
    case Rate::Kind::kLinear:
      return "linear";
    case Rate::Kind::kPower:
      return std::abs(rate.power - 1) < 0.25 ? "O(1/n)" : fmt::format("O(1/n^{:.2g})", rate.power);
    case Rate::Kind::kJitters:
      return "jitters";
    case Rate::Kind::kStalls:
      return "stalls";
    case Rate::Kind::kDiverges:
      return "diverges";
    case Rate::Kind::kUnknown:
      break;
  }
  return "-";
}

}  // namespace dlg
