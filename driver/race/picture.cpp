#include "driver/race/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace dlg {
namespace {

constexpr double kMargin = 56;
constexpr double kPanelWidth = 520;
constexpr double kPanelHeight = 360;
constexpr double kTitleHeight = 40;
constexpr double kGap = 64;
constexpr double kLegendRow = 18;
constexpr double kLegendText = 30;  // behind the start of the line
constexpr double kLegendSize = 12;

/// From numbers to places in a panel; y of the scene goes down.
struct Frame {
  Point low;   // upper left in the scene
  Point high;  // lower right
  double x_low = 0, x_high = 1;
  double y_low = 0, y_high = 1;

  Point place(Point p) const {
    const double across = (p.x - x_low) / (x_high - x_low);
    const double up = (p.y - y_low) / (y_high - y_low);
    return {low.x + across * (high.x - low.x), high.y - up * (high.y - low.y)};
  }
};

/// Far outside a place says no more than that it is outside, and large numbers do not fit into every viewer.
Point clamped(Point p) {
  constexpr double kFar = 20000;
  return {std::clamp(p.x, -kFar, kFar), std::clamp(p.y, -kFar, kFar)};
}

bool is_finite(Point p) {
  return std::isfinite(p.x) && std::isfinite(p.y);
}

/// About `count` round numbers inside [low, high].
std::vector<double> ticks(double low, double high, int count) {
  const double raw = (high - low) / count;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> found;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; ++k)
    found.push_back(k * step);
  return found;
}

std::string tick_text(double x) {
  return fmt::format("{:.4g}", std::abs(x) < 1e-12 ? 0.0 : x);
}

/// How a value is placed: as it is, or its power of ten.
enum class Scale { kPlain, kLog };

void add_ticks(Scene& scene, const Frame& frame, const std::vector<double>& xs, const std::vector<double>& ys,
               Scale scale) {
  const Stroke stroke{"444444", 1, 1};
  for (const double x : xs) {
    const Point at = frame.place({x, frame.y_low});
    scene.rules.push_back({{at, {at.x, at.y + 4}}, stroke});
    scene.texts.push_back({{at.x, at.y + 17}, tick_text(x), Anchor::kMiddle, 11, "444444"});
  }
  for (const double y : ys) {
    const Point at = frame.place({frame.x_low, y});
    scene.rules.push_back({{{at.x - 4, at.y}, at}, stroke});
    const std::string text = scale == Scale::kLog ? fmt::format("1e{:.0f}", y) : tick_text(y);
    scene.texts.push_back({{at.x - 8, at.y + 4}, text, Anchor::kEnd, 11, "444444"});
  }
}

void add_axis_names(Scene& scene, const Frame& frame, const std::string& x, const std::string& y) {
  const double middle_x = (frame.low.x + frame.high.x) / 2;
  const double middle_y = (frame.low.y + frame.high.y) / 2;
  scene.texts.push_back({{middle_x, frame.high.y + 36}, x, Anchor::kMiddle, 12, "222222"});
  scene.texts.push_back({{frame.low.x - 42, middle_y}, y, Anchor::kMiddle, 12, "222222", true});
}

/// How many steps of a path are drawn: up to the first behind which all stay outside of the window. What
/// leaves it for good would only paint over the rest.
std::size_t steps_in_sight(const RaceRun& run, const Contour& window) {
  const auto is_inside = [&](const std::vector<double>& at) {
    return at[0] >= window.x_low && at[0] <= window.x_high && at[1] >= window.y_low && at[1] <= window.y_high;
  };
  const auto last = std::find_if(run.values.rbegin(), run.values.rend(), is_inside);
  return std::min(static_cast<std::size_t>(run.values.rend() - last) + 1, run.values.size());
}

Chart contour_panel(const Contest& contest, const ContourMap& map, const Frame& frame) {
  Chart panel{frame.low, frame.high, {}, {}};
  for (const LevelLine& line : map.lines) {
    PathItem path{{}, {"9aa5b1", 0.7, 0.9}};
    for (const Point& point : line.points) path.points.push_back(frame.place(point));
    panel.paths.push_back(std::move(path));
  }
  for (std::size_t i = 0; i < contest.runs.size(); ++i) {
    const RaceRun& run = contest.runs[i];
    PathItem path{{}, {rule_color(i), 1.6, 0.9}};
    const std::size_t end = steps_in_sight(run, map.window);
    for (const std::size_t step : drawn_steps(end)) {
      const Point point{run.values[step][0], run.values[step][1]};
      if (!is_finite(point)) break;
      path.points.push_back(clamped(frame.place(point)));
    }
    if (path.points.empty()) continue;
    panel.marks.push_back({path.points.back(), rule_color(i), 3.5});
    panel.paths.push_back(std::move(path));
  }
  const Point start{contest.start[0], contest.start[1]};
  panel.marks.push_back({frame.place(start), "222222", 4});
  return panel;
}

/// The decades of all losses that are drawn, and the longest run.
struct LossRange {
  double low = 0;
  double high = 1;
  double steps = 1;
};

LossRange loss_range(const Contest& contest) {
  constexpr double kDecadesAboveStart = 2;
  constexpr double kMostDecades = 16;
  LossRange range{INFINITY, -INFINITY, 1};
  double start = -INFINITY;
  for (const RaceRun& run : contest.runs) {
    if (!run.losses.empty() && run.losses.front() > 0)
      start = std::max(start, std::log10(run.losses.front()));
    for (std::size_t i = 0; i < run.losses.size(); ++i) {
      range.steps = std::max(range.steps, static_cast<double>(run.at[i]));
      if (!(run.losses[i] > 0) || !std::isfinite(run.losses[i])) continue;
      range.low = std::min(range.low, std::log10(run.losses[i]));
      range.high = std::max(range.high, std::log10(run.losses[i]));
    }
  }
  if (contest.target && *contest.target > 0) range.low = std::max(range.low, std::log10(*contest.target) - 1);
  if (std::isfinite(start)) range.high = std::min(range.high, start + kDecadesAboveStart);
  if (!(range.low < range.high)) return {-1, 1, range.steps};
  range.low = std::max(range.low, range.high - kMostDecades);
  return {std::floor(range.low), std::ceil(range.high), range.steps};
}

/// Whether a logarithm can show the losses: almost all of them are positive.
Scale loss_scale(const Contest& contest) {
  std::size_t positive = 0;
  std::size_t all = 0;
  for (const RaceRun& run : contest.runs) {
    all += run.losses.size();
    positive += static_cast<std::size_t>(
        std::count_if(run.losses.begin(), run.losses.end(), [](double x) { return !(x < 0); }));
  }
  return positive * 10 > all * 9 ? Scale::kLog : Scale::kPlain;
}

LossRange plain_range(const Contest& contest) {
  LossRange range{INFINITY, -INFINITY, 1};
  for (const RaceRun& run : contest.runs) {
    for (std::size_t i = 0; i < run.losses.size(); ++i) {
      range.steps = std::max(range.steps, static_cast<double>(run.at[i]));
      if (!std::isfinite(run.losses[i])) continue;
      range.low = std::min(range.low, run.losses[i]);
      range.high = std::max(range.high, run.losses[i]);
    }
  }
  return range.low < range.high ? range : LossRange{-1, 1, range.steps};
}

double scaled(double loss, Scale scale) {
  return scale == Scale::kLog ? std::log10(std::max(loss, 1e-300)) : loss;
}

Chart loss_panel(const Contest& contest, const Frame& frame, Scale scale) {
  Chart panel{frame.low, frame.high, {}, {}};
  if (contest.target) {
    const double level = scaled(*contest.target, scale);
    panel.paths.push_back(
        {{frame.place({frame.x_low, level}), frame.place({frame.x_high, level})}, {"bbbbbb", 1, 1}});
  }
  for (std::size_t i = 0; i < contest.runs.size(); ++i) {
    const RaceRun& run = contest.runs[i];
    PathItem path{{}, {rule_color(i), 1.6, 0.9}};
    for (const std::size_t k : drawn_steps(run.losses.size())) {
      const double loss = run.losses[k];
      const Point point{static_cast<double>(run.at[k]), scaled(loss, scale)};
      if (!is_finite(point)) break;
      path.points.push_back(clamped(frame.place(point)));
    }
    if (!path.points.empty()) panel.paths.push_back(std::move(path));
  }
  return panel;
}

void add_losses(Scene& scene, const Contest& contest, double left) {
  const Scale scale = loss_scale(contest);
  const LossRange range = scale == Scale::kLog ? loss_range(contest) : plain_range(contest);
  const Frame frame{{left, kTitleHeight},
                    {left + kPanelWidth, kTitleHeight + kPanelHeight},
                    0,
                    range.steps,
                    range.low,
                    range.high};
  scene.panels.push_back(loss_panel(contest, frame, scale));
  std::vector<double> levels = ticks(range.low, range.high, 6);
  if (scale == Scale::kLog) std::erase_if(levels, [](double x) { return x != std::round(x); });
  add_ticks(scene, frame, ticks(0, range.steps, 6), levels, scale);
  add_axis_names(scene, frame, "step", "loss");
}

void add_contours(Scene& scene, const Contest& contest, const ContourMap& map) {
  const Contour& window = map.window;
  const Frame frame{{kMargin, kTitleHeight},
                    {kMargin + kPanelWidth, kTitleHeight + kPanelHeight},
                    window.x_low,
                    window.x_high,
                    window.y_low,
                    window.y_high};
  scene.panels.push_back(contour_panel(contest, map, frame));
  add_ticks(scene, frame, ticks(window.x_low, window.x_high, 6), ticks(window.y_low, window.y_high, 6),
            Scale::kPlain);
  add_axis_names(scene, frame, contest.variables[0], contest.variables[1]);
  for (const LevelLabel& label : place_labels(map, contest)) {
    const Point at = frame.place(label.at);
    scene.texts.push_back({{at.x, at.y + 3}, label.text, Anchor::kMiddle, 9, "66717d", false, true});
  }
}

/// Columns of equal width, as many as fit with the widest entry, at most three.
struct Legend {
  double column = 0;
  std::size_t columns = 1;
  std::size_t rows = 0;
};

Legend legend_of(const Contest& contest, double width) {
  constexpr std::size_t kMost = 3;
  constexpr double kBetween = 20;
  Legend legend;
  for (const RaceRun& run : contest.runs) {
    legend.column = std::max(legend.column, kLegendText + words_width(run.text, kLegendSize) + kBetween);
  }
  while (legend.columns < kMost &&
         legend.column * static_cast<double>(legend.columns + 1) <= width + kBetween) {
    ++legend.columns;
  }
  legend.column = std::max(legend.column, width / static_cast<double>(legend.columns));
  legend.rows = (contest.runs.size() + legend.columns - 1) / legend.columns;
  return legend;
}

void add_legend(Scene& scene, const Contest& contest, const Legend& legend, double top) {
  for (std::size_t i = 0; i < contest.runs.size(); ++i) {
    const std::size_t row = i / legend.columns;
    const Point at{kMargin + legend.column * static_cast<double>(i % legend.columns),
                   top + kLegendRow * static_cast<double>(row)};
    scene.rules.push_back({{{at.x, at.y - 4}, {at.x + 22, at.y - 4}}, {rule_color(i), 3, 1}});
    scene.texts.push_back(
        {{at.x + kLegendText, at.y}, contest.runs[i].text, Anchor::kStart, kLegendSize, "222222"});
  }
}

}  // namespace

ContourMap map_contours(const Contour& window, Objective& objective) {
  constexpr std::size_t kColumns = 121;
  constexpr std::size_t kRows = 91;
  const Grid grid =
      sample({window.x_low, window.x_high, window.y_low, window.y_high, kColumns, kRows, {}}, [&](Point p) {
        return objective.at_point({p.x, p.y});
      });
  ContourMap map{window, {}};
  for (const double level : contour_levels(grid, window.levels)) {
    for (std::vector<Point>& line : contour_lines(grid, level)) map.lines.push_back({level, std::move(line)});
  }
  return map;
}

Ink rule_color(std::size_t index) {
  static const std::array<Ink, 12> kColors{"1f77b4", "d62728", "2ca02c", "9467bd", "ff7f0e", "17becf",
                                           "8c564b", "e377c2", "7f7f7f", "bcbd22", "003f5c", "a05195"};
  return kColors[index % kColors.size()];
}

std::vector<std::size_t> drawn_steps(std::size_t count) {
  std::vector<std::size_t> steps;
  const std::size_t stride = std::max<std::size_t>(1, (count + kMostDrawn - 1) / kMostDrawn);
  for (std::size_t i = 0; i < count; i += stride) steps.push_back(i);
  if (!steps.empty() && steps.back() + 1 != count) steps.push_back(count - 1);
  return steps;
}

Scene race_scene(const Contest& contest, const ContourMap* map) {
  Scene scene;
  scene.title = contest.title;
  const bool has_map = map != nullptr;
  const double panels = has_map ? 2 * kPanelWidth + kGap : kPanelWidth;
  const Legend legend = legend_of(contest, panels);
  const double legend_top = kTitleHeight + kPanelHeight + 64;
  constexpr double kTitleSize = 16;
  const double title = words_width(contest.title, kTitleSize);
  scene.width = 2 * kMargin + std::max({panels, title, legend.column * static_cast<double>(legend.columns)});
  scene.height = legend_top + kLegendRow * static_cast<double>(legend.rows);
  if (has_map) add_contours(scene, contest, *map);
  add_losses(scene, contest, has_map ? kMargin + kPanelWidth + kGap : kMargin);
  scene.texts.push_back({{scene.width / 2, 24}, contest.title, Anchor::kMiddle, kTitleSize, "222222"});
  add_legend(scene, contest, legend, legend_top);
  return scene;
}

}  // namespace dlg
