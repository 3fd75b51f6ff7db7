// Owns the Boost.Graph view: topological order, reachability, acyclicity of groups, drawing. The only user of
// Boost.Graph.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ir/graph/graph.h"

namespace dlg {

/// A plain directed graph on 0 .. count - 1.
struct Edges {
  std::size_t count = 0;
  std::vector<std::pair<std::size_t, std::size_t>> edges;  // from, to
};

/// A topological order that keeps smaller numbers first where the edges allow it; nullopt if there is a
/// cycle.
std::optional<std::vector<std::size_t>> topological_order(const Edges& edges);

/// Which vertices each vertex reaches (itself included), as rows of bits.
class Reachability {
 public:
  explicit Reachability(const Edges& edges);
  bool reaches(std::size_t from, std::size_t to) const;

 private:
  std::vector<std::vector<bool>> rows_;
};

/// The value graph, operand to user.
Edges value_edges(const Graph& graph);

/// Whether contracting the vertices into the given classes (class number per vertex) leaves the quotient
/// acyclic.
bool quotient_is_acyclic(const Edges& edges, const std::vector<std::size_t>& class_of);

/// Graphviz text of the graph, groups as clusters.
std::string draw(const Graph& graph);

}  // namespace dlg
