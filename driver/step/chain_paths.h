// Owns the chain rule between named values: every direct derivative by dual numbers, every path with its
// product.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/ops/interpret.h"

namespace dlg {

/// A graph cut open at its named values: whoever reads one reads a leaf, its definition is an output.
struct CutGraph {
  /// A place where paths meet: a state of the program, a named value, or the loss, which is the last.
  struct Place {
    std::string name;
    std::string leaf;  // path of the state or input that stands for it
    bool is_input = false;
    ValueId definition;  // invalid: a state
    Shape shape;         // of one sample
  };
  Graph graph;
  std::vector<Place> places;  // none is computed from a later one, the loss at the end
};

/// Cuts at the outputs `value.NAME`; the graph has an output `loss` and no `gradient` nodes. States are
/// parameters.
CutGraph cut_at_values(const Graph& graph);

/// One element of a place.
struct ChainPoint {
  std::size_t place = 0;
  std::size_t element = 0;

  friend auto operator<=>(const ChainPoint&, const ChainPoint&) = default;
};

/// What a point hands on directly, and what all its paths to the loss come to.
struct ChainLinks {
  struct Link {
    ChainPoint to;
    double factor = 0;
  };
  std::vector<Link> links;
  double sum = 0;      // of the products of all paths
  double count = 0;    // of paths
  double largest = 0;  // product, in absolute value
};

/// From `from` on, all points that a change of it reaches, with `values` for all leaves. Empty: more than
/// `most` points.
std::map<ChainPoint, ChainLinks> chain_links(const CutGraph& cut, const Environment<double>& values,
                                             ChainPoint from, std::size_t most);

struct ChainPath {
  std::vector<ChainPoint> points;
  std::vector<double> factors;
  double product = 1;
};

/// The paths with the largest products, at most `most`, largest first.
std::vector<ChainPath> largest_paths(const std::map<ChainPoint, ChainLinks>& links, ChainPoint from,
                                     std::size_t most);

/// Where a path ends because a derivative is 0.
struct DeadEnd {
  std::vector<ChainPoint> points;  // the path up to there
  ValueId node;                  // of the cut graph: it depends on the last point and does not change with it
  std::vector<double> operands;  // what goes into it, of those that change: one number each; empty: tensors
};

/// The places at which the paths from `from` end before the loss, at most `most`.
std::vector<DeadEnd> dead_ends(const CutGraph& cut, const Environment<double>& values,
                               const std::map<ChainPoint, ChainLinks>& links, ChainPoint from,
                               std::size_t most);

}  // namespace dlg
