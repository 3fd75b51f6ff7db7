// Owns the static picture of a race: contours with the paths over them, the loss curves, the legend.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/race/contest.h"
#include "driver/race/contours.h"
#include "driver/race/scene.h"
#include "frontend/checked_program.h"

namespace dlg {

struct LevelLine {
  double level = 0;
  std::vector<Point> points;
};

/// The lines of equal value of an objective of two variables.
struct ContourMap {
  Contour window;
  std::vector<LevelLine> lines;
};

ContourMap map_contours(const Contour& window, Objective& objective);

/// The value of a line, at a point of it.
struct LevelLabel {
  Point at;
  std::string text;
};

/// At most one label for each level, where there is room between paths, other lines and other labels.
std::vector<LevelLabel> place_labels(const ContourMap& map, const Contest& contest);

/// The colour of rule `index` of a race, the same in every picture.
Ink rule_color(std::size_t index);

/// At most this many steps of a run are drawn; the first and the last always.
inline constexpr std::size_t kMostDrawn = 2000;
std::vector<std::size_t> drawn_steps(std::size_t count);

/// `map` is null where the race has no `plot`.
Scene race_scene(const Contest& contest, const ContourMap* map);

}  // namespace dlg
