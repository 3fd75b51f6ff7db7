// Where the values of contour lines are written.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "driver/race/picture.h"

namespace dlg {
namespace {

/// Places in a panel of this size decide, in points. Words are wider than high.
constexpr double kWidth = 520;
constexpr double kHeight = 360;
constexpr double kFlatter = 2;

class Panel {
 public:
  explicit Panel(const Contour& window) : window_(window) {}

  Point place(Point p) const {
    return {(p.x - window_.x_low) / (window_.x_high - window_.x_low) * kWidth / kFlatter,
            (p.y - window_.y_low) / (window_.y_high - window_.y_low) * kHeight};
  }

  bool is_well_inside(Point p) const {
    constexpr double kFromEdge = 12;
    const Point at = place(p);
    return at.x > kFromEdge && at.x < kWidth / kFlatter - kFromEdge && at.y > kFromEdge &&
           at.y < kHeight - kFromEdge;
  }

 private:
  Contour window_;
};

double distance_to(const std::vector<Point>& others, Point at) {
  double nearest = INFINITY;
  for (const Point& other : others) nearest = std::min(nearest, std::hypot(other.x - at.x, other.y - at.y));
  return nearest;
}

/// The places of all paths, those of long steps with some between.
std::vector<Point> path_places(const Contest& contest, const Panel& panel) {
  constexpr double kDense = 6;
  constexpr double kMostBetween = 100;
  std::vector<Point> places{panel.place({contest.start[0], contest.start[1]})};
  for (const RaceRun& run : contest.runs) {
    Point last = places.front();
    for (const std::size_t i : drawn_steps(run.values.size())) {
      const Point next = panel.place({run.values[i][0], run.values[i][1]});
      if (!std::isfinite(next.x) || !std::isfinite(next.y)) break;
      const double length = std::hypot(next.x - last.x, next.y - last.y);
      const double parts = std::clamp(std::ceil(length / kDense), 1.0, kMostBetween);
      for (double k = 1; k <= parts && length > 0; ++k) {
        places.push_back({last.x + (next.x - last.x) * k / parts, last.y + (next.y - last.y) * k / parts});
      }
      last = next;
    }
  }
  return places;
}

/// What a label keeps clear of.
struct Obstacles {
  std::vector<Point> paths;
  std::vector<Point> labels;
  std::vector<Point> lines;  // of other levels
};

/// How much room there is at a place, at most `kPlenty`; below 0 too little.
double room_at(const Obstacles& obstacles, Point at) {
  constexpr double kFromPath = 11;
  constexpr double kFromLabel = 18;
  constexpr double kFromLine = 5;
  constexpr double kPlenty = 30;
  return std::min({kPlenty, distance_to(obstacles.paths, at) - kFromPath,
                   distance_to(obstacles.labels, at) - kFromLabel,
                   4 * (distance_to(obstacles.lines, at) - kFromLine)});
}

}  // namespace

std::vector<LevelLabel> place_labels(const ContourMap& map, const Contest& contest) {
  constexpr std::size_t kCandidates = 60;
  const Panel panel(map.window);
  std::map<double, std::vector<Point>> levels;
  for (const LevelLine& line : map.lines) {
    std::vector<Point>& points = levels[line.level];
    points.insert(points.end(), line.points.begin(), line.points.end());
  }
  Obstacles obstacles{path_places(contest, panel), {}, {}};
  std::vector<LevelLabel> labels;
  for (const auto& [level, points] : levels) {
    obstacles.lines.clear();
    for (const auto& [other, others] : levels) {
      if (other == level) continue;
      for (const Point& point : others) obstacles.lines.push_back(panel.place(point));
    }
    const std::size_t stride = std::max<std::size_t>(1, points.size() / kCandidates);
    double most = 0;
    const Point* best = nullptr;
    for (std::size_t i = 0; i < points.size(); i += stride) {
      if (!panel.is_well_inside(points[i])) continue;
      const double room = room_at(obstacles, panel.place(points[i]));
      if (room <= most) continue;
      most = room;
      best = &points[i];
    }
    if (best == nullptr) continue;
    obstacles.labels.push_back(panel.place(*best));
    labels.push_back({*best, fmt::format("{:.6g}", level == 0 ? 0.0 : level)});
  }
  return labels;
}

}  // namespace dlg
