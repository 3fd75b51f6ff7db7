// Owns lines of equal value: a grid of values and the marching squares over it.
#pragma once

#include <functional>
#include <vector>

namespace dlg {

struct Point {
  double x = 0;
  double y = 0;
};

/// Values at the corners of equal cells over a rectangle, row by row from the lowest y.
struct Grid {
  double x_low = 0, x_high = 0;
  double y_low = 0, y_high = 0;
  std::size_t columns = 0;  // corners along x, at least 2
  std::size_t rows = 0;
  std::vector<double> values;

  Point corner(std::size_t column, std::size_t row) const;
  double value(std::size_t column, std::size_t row) const { return values[row * columns + column]; }
};

/// `grid` with its values taken from `f`.
Grid sample(Grid grid, const std::function<double(Point)>& f);

/// `count` levels between the smallest and the largest finite value, short numbers all. Where values are
/// spread evenly, as on a plane, they are equal steps, and lines are as dense as the slope is steep; where
/// most lie near the smallest, the levels do: half of them below the median.
std::vector<double> contour_levels(const Grid& grid, int count);

/// The lines on which the linearly interpolated grid has the value `level`, each as one chain of points;
/// closed ones end where they begin. Cells with a corner that is not finite have none.
std::vector<std::vector<Point>> contour_lines(const Grid& grid, double level);

}  // namespace dlg
