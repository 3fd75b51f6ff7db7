#include "driver/race/contours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace dlg {
namespace {

/// An edge between two neighbouring corners, by the index of its lower left one.
struct Edge {
  std::size_t corner = 0;
  bool is_upright = false;

  friend auto operator<=>(const Edge&, const Edge&) = default;
};

using Piece = std::array<Edge, 2>;

/// The edges of a cell counter-clockwise from the bottom.
std::array<Edge, 4> edges_of(const Grid& grid, std::size_t column, std::size_t row) {
  const std::size_t at = row * grid.columns + column;
  return {Edge{at, false}, Edge{at + 1, true}, Edge{at + grid.columns, false}, Edge{at, true}};
}

/// Where the line goes through one cell: from edge to edge. In a saddle the mean of the corners decides.
void add_pieces(const Grid& grid, std::size_t column, std::size_t row, double level,
                std::vector<Piece>& pieces) {
  const std::array<double, 4> corners{grid.value(column, row), grid.value(column + 1, row),
                                      grid.value(column + 1, row + 1), grid.value(column, row + 1)};
  if (!std::all_of(corners.begin(), corners.end(), [](double x) { return std::isfinite(x); })) return;
  const std::array<Edge, 4> edges = edges_of(grid, column, row);
  std::vector<Edge> crossed;
  for (std::size_t i = 0; i < 4; ++i) {
    if ((corners[i] >= level) != (corners[(i + 1) % 4] >= level)) crossed.push_back(edges[i]);
  }
  if (crossed.size() == 2) pieces.push_back({crossed[0], crossed[1]});
  if (crossed.size() != 4) return;
  const bool is_high = (corners[0] + corners[1] + corners[2] + corners[3]) / 4 >= level;
  const bool joins_first = is_high == (corners[0] >= level);
  if (joins_first) {
    pieces.push_back({crossed[0], crossed[1]});
    pieces.push_back({crossed[2], crossed[3]});
  } else {
    pieces.push_back({crossed[3], crossed[0]});
    pieces.push_back({crossed[1], crossed[2]});
  }
}

Point crossing(const Grid& grid, Edge edge, double level) {
  const std::size_t other = edge.corner + (edge.is_upright ? grid.columns : 1);
  const Point a = grid.corner(edge.corner % grid.columns, edge.corner / grid.columns);
  const Point b = grid.corner(other % grid.columns, other / grid.columns);
  const double low = grid.values[edge.corner];
  const double high = grid.values[other];
  const double share = (level - low) / (high - low);
  return {a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)};
}

/// Joins pieces that share an edge; an edge belongs to two pieces at most.
class Chains {
 public:
  explicit Chains(std::vector<Piece> pieces) : pieces_(std::move(pieces)), is_used_(pieces_.size(), false) {
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      for (const Edge edge : pieces_[i]) touching_[edge].push_back(i);
    }
  }

  std::vector<std::vector<Edge>> run() {
    std::vector<std::vector<Edge>> chains;
    // Open lines from their ends, then what is left: circles.
    for (const auto& [edge, pieces] : touching_) {
      if (pieces.size() == 1 && !is_used_[pieces.front()]) chains.push_back(walk(edge));
    }
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (!is_used_[i]) chains.push_back(walk(pieces_[i][0]));
    }
    return chains;
  }

 private:
  std::vector<Edge> walk(Edge from) {
    std::vector<Edge> chain{from};
    while (true) {
      const std::vector<std::size_t>& pieces = touching_.at(chain.back());
      const auto next =
          std::find_if(pieces.begin(), pieces.end(), [&](std::size_t i) { return !is_used_[i]; });
      if (next == pieces.end()) return chain;
      is_used_[*next] = true;
      const Piece& piece = pieces_[*next];
      chain.push_back(piece[0] == chain.back() ? piece[1] : piece[0]);
    }
  }

  std::vector<Piece> pieces_;
  std::vector<bool> is_used_;
  std::map<Edge, std::vector<std::size_t>> touching_;
};

/// Multiples of the largest round step of which `count` fit, around the middle.
std::vector<double> even_levels(double low, double range, int count) {
  const double most = range / count;
  const double power = std::pow(10, std::floor(std::log10(most)));
  double step = power;
  for (const double factor : {1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0}) {
    if (factor * power <= most) step = factor * power;
  }
  const double first = std::round((low + range / 2) / step - (count - 1) / 2.0);
  std::vector<double> levels;
  for (int i = 0; i < count; ++i) levels.push_back((first + i) * step);
  return levels;
}

/// low + range * t^power, each with the digits that tell it from its neighbours.
std::vector<double> dense_levels(double low, double range, int count, double power) {
  const auto level = [&](double i) { return low + range * std::pow((i + 0.5) / count, power); };
  std::vector<double> levels;
  for (int i = 0; i < count; ++i) {
    const double gap = (i == 0 ? level(0) - low : level(i) - level(i - 1)) / 2;
    const double unit = std::pow(10, std::floor(std::log10(gap)));
    levels.push_back(std::round(level(i) / unit) * unit);
  }
  return levels;
}

}  // namespace

Point Grid::corner(std::size_t column, std::size_t row) const {
  const double across = static_cast<double>(column) / static_cast<double>(columns - 1);
  const double up = static_cast<double>(row) / static_cast<double>(rows - 1);
  return {x_low + across * (x_high - x_low), y_low + up * (y_high - y_low)};
}

Grid sample(Grid grid, const std::function<double(Point)>& f) {
  grid.values.clear();
  for (std::size_t row = 0; row < grid.rows; ++row) {
    for (std::size_t column = 0; column < grid.columns; ++column) {
      grid.values.push_back(f(grid.corner(column, row)));
    }
  }
  return grid;
}

std::vector<double> contour_levels(const Grid& grid, int count) {
  constexpr double kEven = 1.3;
  constexpr double kDensest = 4;
  std::vector<double> values;
  for (const double value : grid.values) {
    if (std::isfinite(value)) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  if (values.empty() || count < 1) return {};
  const double low = values.front();
  const double range = values.back() - low;
  if (!(range > 0) || !std::isfinite(range)) return {};
  const double middle = (values[values.size() / 2] - low) / range;
  const double power = std::clamp(std::log(std::max(middle, 1e-9)) / std::log(0.5), 1.0, kDensest);
  return power < kEven ? even_levels(low, range, count) : dense_levels(low, range, count, power);
}

std::vector<std::vector<Point>> contour_lines(const Grid& grid, double level) {
  std::vector<Piece> pieces;
  for (std::size_t row = 0; row + 1 < grid.rows; ++row) {
    for (std::size_t column = 0; column + 1 < grid.columns; ++column) {
      add_pieces(grid, column, row, level, pieces);
    }
  }
  std::vector<std::vector<Point>> lines;
  for (const std::vector<Edge>& chain : Chains(std::move(pieces)).run()) {
    std::vector<Point> line;
    for (const Edge edge : chain) line.push_back(crossing(grid, edge, level));
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace dlg
