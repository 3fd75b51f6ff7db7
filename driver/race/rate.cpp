#include "driver/race/rate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace dlg {
namespace {

using Values = std::span<const double>;

struct Place {
  double x = 0;
  double y = 0;
};
using Places = std::span<const Place>;

/// A straight line through points, by least squares.
struct Line {
  double slope = 0;
  double error = 0;  // of the slope: its standard deviation, by what the points are off the line
};

Line line_through(Places places) {
  const auto count = static_cast<double>(places.size());
  double mean_x = 0;
  double mean_y = 0;
  for (const Place& place : places) {
    mean_x += place.x / count;
    mean_y += place.y / count;
  }
  double xx = 0;
  double xy = 0;
  for (const Place& place : places) {
    xx += (place.x - mean_x) * (place.x - mean_x);
    xy += (place.x - mean_x) * (place.y - mean_y);
  }
  if (!(xx > 0)) return {};
  const double slope = xy / xx;
  double off = 0;
  for (const Place& place : places) {
    const double miss = place.y - mean_y - slope * (place.x - mean_x);
    off += miss * miss;
  }
  return {slope, std::sqrt(off / std::max(1.0, count - 2) / xx)};
}

double largest(Values values) {
  return *std::max_element(values.begin(), values.end());
}

double median(Values values) {
  std::vector<double> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

double span_of(Values values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *high - *low;
}

/// The share of steps that go up by more than `floor`.
double rises(Values values, double floor) {
  double count = 0;
  for (std::size_t i = 1; i < values.size(); ++i) count += values[i] > values[i - 1] + floor ? 1 : 0;
  return count / static_cast<double>(values.size());
}

/// Indices of local maxima; of a flat top the first.
std::vector<std::size_t> peaks_of(Values values) {
  std::vector<std::size_t> peaks;
  for (std::size_t i = 1; i + 1 < values.size(); ++i) {
    if (values[i] > values[i - 1] && values[i] >= values[i + 1]) peaks.push_back(i);
  }
  return peaks;
}

/// Whether waves become lower from one to the next, and not ever less so. Of noise half of them do; of a path
/// that comes to go round and round they come to a height.
bool do_peaks_fall(Values e, double floor) {
  constexpr double kMostOfThem = 0.8;
  constexpr double kGoesOn = 0.25;
  std::vector<double> tops;
  for (const std::size_t peak : peaks_of(e)) tops.push_back(e[peak]);
  double falls = 0;
  for (std::size_t i = 1; i < tops.size(); ++i) falls += tops[i] < tops[i - 1] - floor ? 1 : 0;
  if (falls < kMostOfThem * (static_cast<double>(tops.size()) - 1)) return false;
  const double middle = tops[tops.size() / 2];
  const auto height = [&](double top) { return std::log(std::max(top, 1e-300)); };
  const double before = height(tops.front()) - height(middle);
  const double after = height(middle) - height(tops.back());
  return after > kGoesOn * before;
}

/// e at its end is where it was before, and goes up and down.
bool does_jitter(Values e, double floor) {
  constexpr std::size_t kFewest = 40;
  constexpr std::size_t kFewestPeaks = 4;
  constexpr double kOften = 0.1;
  constexpr double kStays = 0.05;  // of the height in the quarter before
  constexpr double kSame = 0.4;    // of the middle value in the eighth before
  if (e.size() < kFewest) return false;
  const Values half = e.subspan(e.size() / 2);
  const Values quarter = e.subspan(3 * e.size() / 4);
  if (span_of(quarter) <= 2 * floor || rises(quarter, floor) < kOften) return false;
  const std::size_t eighth = quarter.size() / 2;
  if (median(quarter.subspan(eighth)) < kSame * median(quarter.first(eighth))) return false;
  if (largest(quarter) < kStays * largest(half.first(half.size() / 2))) return false;
  return peaks_of(half).size() >= kFewestPeaks && !do_peaks_fall(half, floor);
}

/// The value has not moved in the second half of the steps but by what rounding adds up to.
bool is_level(Values e, double floor) {
  constexpr std::size_t kFewest = 10;
  constexpr double kMost = 1e-6;  // of e
  if (e.size() < kFewest) return false;
  const double drift = std::min(floor * static_cast<double>(e.size()), kMost * std::abs(e.back()));
  return span_of(e.subspan(e.size() / 2)) <= std::max(floor, drift);
}

/// e is where it was an eighth of the steps before, up to a twentieth, has gone up and down, and the point to
/// and fro.
bool goes_to_and_fro(Values e, const Descent& descent) {
  constexpr std::size_t kFewest = 40;
  constexpr double kStraight = 0.1;
  constexpr double kSame = 0.05;
  constexpr double kOften = 0.1;
  if (e.size() < kFewest || descent.straightness > kStraight) return false;
  const Values quarter = e.subspan(3 * e.size() / 4);
  const double ups = rises(quarter, 0);
  if (ups < kOften || ups > 1 - kOften) return false;
  const double before = largest(quarter.first(quarter.size() / 2));
  return std::abs(largest(quarter.subspan(quarter.size() / 2)) - before) <= kSame * before;
}

/// Whether the point still goes about: in this half it goes half as far as in that before.
bool does_move(Values lengths) {
  if (lengths.size() < 4) return false;
  const double before = largest(lengths.first(lengths.size() / 2));
  const double after = largest(lengths.subspan(3 * lengths.size() / 4));
  return after > 0.01 * before;
}

/// The places of e from `first` on in a plane of step and logarithm; what is 0 or below has none.
std::vector<Place> log_places(Values e, std::size_t first) {
  std::vector<Place> places;
  for (std::size_t i = first; i < e.size(); ++i) {
    if (e[i] > 0) places.push_back({static_cast<double>(i), std::log(e[i])});
  }
  return places;
}

/// e grows, and as a power of a number would: a step away from a good start does so more and more slowly.
bool does_grow(Values e) {
  constexpr std::size_t kFewest = 5;
  constexpr double kGrown = 2;
  constexpr double kSteady = 0.8;  // of the slope of the logarithm
  if (e.size() < kFewest || !(e.back() > e.front())) return false;
  const std::size_t quarter = std::max<std::size_t>(1, e.size() / 4);
  if (largest(e.last(quarter)) < kGrown * largest(e.first(e.size() - quarter))) return false;
  std::vector<double> tops(e.begin(), e.end());
  for (std::size_t i = 1; i < tops.size(); ++i) tops[i] = std::max(tops[i], tops[i - 1]);
  const std::vector<Place> places = log_places(tops, e.size() / 2 - 1);
  if (places.size() < 3) return true;
  const std::size_t middle = places.size() / 2;
  const double before = line_through(Places(places).first(middle + 1)).slope;
  return line_through(Places(places).subspan(middle)).slope >= kSteady * before;
}

/// Whether the last ratios fall as squaring makes them fall, and are small: a path at constant speed has one
/// small ratio at most, where it happens to meet the minimum.
bool is_quadratic(Values e) {
  constexpr double kOrder = 1.5;  // of convergence; squaring has 2
  constexpr double kOrderBefore = 1.2;
  constexpr double kSmall = 0.15;
  constexpr std::size_t kRatios = 3;
  constexpr std::size_t kSmooth = 8;
  const std::size_t count = e.size();
  if (count < kRatios + 1) return false;
  if (rises(e.last(std::min(count, kSmooth)), 0) > 0) return false;
  const double third = e[count - 3] / e[count - 4];
  const double second = e[count - 2] / e[count - 3];
  const double first = e[count - 1] / e[count - 2];
  if (second > kSmall || first > kSmall) return false;
  return first < std::pow(second, kOrder) && second < std::pow(third, kOrderBefore);
}

/// Whether the step to e[i] lands where rounding leaves it. e counts squares of distances.
bool is_hit(Values e, std::size_t i, double unit) {
  constexpr double kOneStep = 0x1p12;  // units that one step may be off its goal
  return i > 0 && i < e.size() && e[i] <= kOneStep * unit * kOneStep * unit * e[i - 1];
}

/// The same of a run at rest, whose next value is at most `rest`.
bool is_quadratic_to(Values e, double rest) {
  std::vector<double> shown(e.begin(), e.end());
  shown.push_back(rest);
  return is_quadratic(e) || is_quadratic(shown);
}

/// Where the distances end: behind the last that is no rounding, or where nothing moves any more, or the last
/// step hits the minimum.
std::size_t end_of(Values e, const Descent& descent) {
  constexpr double kNear = 1e-4;
  std::size_t end = e.size();
  while (end > 0 && std::abs(e[end - 1]) <= descent.floor) --end;
  std::size_t still = descent.lengths.size();
  while (still > 0 && descent.lengths[still - 1] == 0) --still;
  const bool stands = !descent.lengths.empty() && still + 2 < e.size();
  if (stands && still < end && e[still] <= kNear * e.front()) end = still;
  // What follows a hit is as small.
  for (std::size_t i = end; i-- > 1 && e[i] <= kNear * e[i - 1];) {
    if (is_hit(e, i, descent.unit)) return i;
  }
  return end;
}

/// Slopes over some steps, and over their own halves.
struct Slopes {
  Line all;
  Line first;
  Line second;

  bool do_fall() const { return all.slope < 0 && first.slope < 0 && second.slope < 0; }
  double change() const { return first.slope / second.slope; }
  double difference() const { return std::abs(first.slope - second.slope); }
  /// How far the slope may be off.
  double error() const { return std::max(all.error, difference() / 4); }

  /// The same slope all the way, up to a tenth or to the height of waves.
  bool is_steady() const {
    constexpr double kSame = 1.1;
    constexpr double kErrors = 2;
    constexpr double kClear = 15;  // times its error
    if (change() < kSame && change() > 1 / kSame) return true;
    return std::abs(all.slope) > kClear * all.error &&
           difference() < kErrors * std::hypot(first.error, second.error);
  }
};

Slopes slopes_of(const std::vector<Place>& places) {
  const std::size_t middle = places.size() / 2;
  return {line_through(places), line_through(Places(places).first(middle)),
          line_through(Places(places).subspan(middle))};
}

/// The places that the rate is taken from: the tops of waves where there are many, else what lies above all
/// that follows: where e only falls, that is every step.
std::vector<Place> smooth_places(Values e, std::size_t first) {
  constexpr std::size_t kFewestTops = 6;
  const std::vector<Place> places = log_places(e, first);
  std::vector<Place> tops;
  for (std::size_t i = 1; i + 1 < places.size(); ++i) {
    if (places[i].y > places[i - 1].y && places[i].y >= places[i + 1].y) tops.push_back(places[i]);
  }
  if (tops.size() >= kFewestTops) return tops;
  std::vector<Place> highest;
  for (std::size_t i = places.size(); i-- > 0;) {
    if (highest.empty() || places[i].y > highest.back().y) highest.push_back(places[i]);
  }
  std::reverse(highest.begin(), highest.end());
  return highest;
}

/// Where the slope of log e over the step stays. A power that began long ago has such slopes, too: the power
/// that their change means is small then.
std::optional<Rate> linear_rate(const std::vector<Place>& places) {
  constexpr double kLeastPower = 6;
  constexpr double kLeastFall = 0.4;  // of log e
  const Slopes slopes = slopes_of(places);
  if (!slopes.do_fall() || !slopes.is_steady()) return std::nullopt;
  // Every curve is straight when little of it is seen.
  const double fall = -slopes.all.slope * (places.back().x - places.front().x);
  if (fall < kLeastFall) return std::nullopt;
  const double spacing = (places.back().x - places.front().x) / 2;
  const double slowing = 1 / std::abs(slopes.second.slope) - 1 / std::abs(slopes.first.slope);
  const bool has_waves = slopes.change() > 1 && slopes.difference() < 2 * slopes.second.error;
  if (!has_waves && slowing * kLeastPower > spacing) return std::nullopt;
  Rate rate{Rate::Kind::kLinear, std::exp(slopes.all.slope), 0, {}};
  rate.error = rate.factor * slopes.error();
  return rate;
}

/// Where the slope of log e over the logarithm of the step stays.
std::optional<Rate> power_rate(std::vector<Place> places) {
  constexpr double kSame = 1.15;
  constexpr double kSteepest = 4;
  constexpr double kFlattest = 0.1;
  if (!(slopes_of(places).change() > kSame)) return std::nullopt;
  for (Place& place : places) place.x = std::log(place.x);
  const Slopes powers = slopes_of(places);
  const double power = -powers.all.slope;
  const bool is_steady = powers.do_fall() && powers.change() < kSame && powers.change() > 1 / kSame;
  if (!is_steady || power < kFlattest || power > kSteepest) return std::nullopt;
  return Rate{Rate::Kind::kPower, 0, power, {}};
}

/// By the second half of the steps; of what has come to its rate later by the last quarter; of few steps or
/// of few long waves by more of them.
Rate fitted_rate(Values e) {
  constexpr std::size_t kFewest = 6;
  constexpr std::size_t kFew = 20;
  constexpr std::size_t kFewestOfPower = 40;
  const std::vector<Place> half = smooth_places(e, e.size() / (e.size() < kFew ? 4 : 2));
  if (const std::optional<Rate> rate = linear_rate(half)) return *rate;
  if (e.size() >= kFewestOfPower) {
    if (const std::optional<Rate> rate = power_rate(half)) return *rate;
  }
  const bool has_waves = rises(e.subspan(e.size() / 2), 0) > 0;
  if (!has_waves && e.size() < kFewestOfPower) return {Rate::Kind::kTooEarly, 0, 0, {}};
  const std::vector<Place> other = smooth_places(e, has_waves ? e.size() / 4 : 3 * e.size() / 4);
  const std::optional<Rate> late = other.size() >= kFewest ? linear_rate(other) : std::nullopt;
  return late.value_or(Rate{Rate::Kind::kTooEarly, 0, 0, {}});
}

/// From the distances before rest; `end` of them.
Rate falling_rate(Values e, std::size_t end, const Descent& descent) {
  constexpr std::size_t kFewest = 6;
  constexpr double kClear = 8;  // times the floor: less is half rounding
  const bool is_at_rest = end < e.size();
  if (e.front() <= kClear * descent.floor) return {};
  if (end == 1 && is_at_rest) return {Rate::Kind::kAtOnce, 0, 0, {}};
  const bool is_square =
      is_at_rest ? is_quadratic_to(e.first(end), std::max(descent.floor, std::abs(e[end]))) : is_quadratic(e);
  if (is_square) return {Rate::Kind::kQuadratic, 0, 0, {}};
  const Rate::Kind otherwise = is_at_rest ? Rate::Kind::kUnknown : Rate::Kind::kTooEarly;
  while (end > kFewest && e[end - 1] < kClear * descent.floor) --end;
  if (end < kFewest) return {otherwise, 0, 0, {}};
  Rate rate = fitted_rate(e.first(end));
  if (rate.kind != Rate::Kind::kTooEarly) return rate;
  const bool jitters = !is_at_rest && goes_to_and_fro(e, descent);
  return {jitters ? Rate::Kind::kJitters : otherwise, 0, 0, {}};
}

/// What can be said of the end of a run without the minimum.
std::optional<Rate::Kind> end_kind(Values e, const Descent& descent, double floor) {
  if (is_level(e, floor)) return does_move(descent.lengths) ? Rate::Kind::kJitters : Rate::Kind::kStalls;
  if (does_jitter(e, floor)) return Rate::Kind::kJitters;
  return std::nullopt;
}

bool are_finite(Values values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

}  // namespace

bool does_diverge(const std::vector<double>& losses) {
  if (losses.empty()) return false;
  if (!are_finite(losses)) return true;
  const double base = *std::min_element(losses.begin(), losses.end());
  std::vector<double> e;
  for (const double loss : losses) e.push_back(loss - base);
  return does_grow(e);
}

Rate estimate_rate(const Descent& descent) {
  Rate rate;
  const std::vector<double>& losses = descent.losses;
  if (losses.empty()) return rate;
  const double base = descent.smallest.value_or(*std::min_element(losses.begin(), losses.end()));
  std::vector<double> e;
  for (const double loss : losses) e.push_back(loss - base);
  if (!are_finite(losses) || does_grow(e)) return {Rate::Kind::kDiverges, 0, 0, {}};
  const double end_floor = std::max(descent.floor, descent.end_floor);
  if (!descent.smallest) {
    rate.kind = end_kind(e, descent, end_floor).value_or(Rate::Kind::kUnknown);
    return rate;
  }
  const std::size_t end = end_of(e, descent);
  if (end < e.size()) rate.rest = static_cast<std::int64_t>(end);
  if (end == 0) return rate;
  const std::optional<Rate::Kind> at_end = rate.rest ? std::nullopt : end_kind(e, descent, end_floor);
  if (at_end) {
    rate.kind = *at_end;
    return rate;
  }
  // A run that went through a deeper place before is judged from there on.
  std::size_t begin = end;
  while (begin > 0 && e[begin - 1] >= -descent.floor) --begin;
  if (begin + 1 >= end && begin > 0) return rate;
  Rate found = falling_rate(Values(e).subspan(begin), end - begin, descent);
  found.rest = rate.rest;
  return found;
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
    case Rate::Kind::kAtOnce:
      return "at once";
    case Rate::Kind::kQuadratic:
      return "quadratic";
    case Rate::Kind::kLinear:
      return "linear";
    case Rate::Kind::kPower:
      return std::abs(rate.power - 1) < 0.1 ? "O(1/n)" : fmt::format("O(1/n^{:.2g})", rate.power);
    case Rate::Kind::kJitters:
      return "jitters";
    case Rate::Kind::kStalls:
      return "stalls";
    case Rate::Kind::kDiverges:
      return "diverges";
    case Rate::Kind::kTooEarly:
      return "too early to tell";
    case Rate::Kind::kUnknown:
      break;
  }
  return "-";
}

std::string factor_text(double factor, double error) {
  constexpr int kMost = 12;
  const double gap = std::abs(1 - factor);
  int digits = 4;
  while (digits < kMost && gap > 1e-12 && gap < 5 * std::pow(10, -digits)) ++digits;
  while (digits > 1 && error > 2 * std::pow(10, -digits)) --digits;
  return fmt::format("{:.{}f}", factor, digits);
}

}  // namespace dlg
