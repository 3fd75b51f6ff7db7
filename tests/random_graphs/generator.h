// Owns random well-typed graphs, made from the op table alone: a new op is drawn without a change here.
#pragma once

#include <map>
#include <string>

#include "ir/graph/graph.h"
#include "ir/ops/interpret.h"
#include "tests/lengthening.h"

namespace dlg::test {

/// A forward graph with outputs `loss` and `value.N`, and numbers for all it reads. Every value lies in the
/// sample domain of the op that uses it.
struct RandomGraph {
  std::uint64_t seed = 0;
  Graph graph;
  Environment<double> environment;  // numbers that f32 holds; rows <= graph.batch
};

/// Of each seed one long extent for one of those of the ops' sample shapes (3, 4, 5 or 7).
Lengthening lengthening_of(std::uint64_t seed);

/// 5 to 60 nodes, f32 or f64, with or without a batch.
RandomGraph random_graph(std::uint64_t seed, const Lengthening& lengthening = {});

/// How often each op occurs, by name.
using Histogram = std::map<std::string_view, std::size_t>;
void count_ops(const Graph& graph, Histogram& histogram);

/// Whether some value of the graph is used more than once.
bool has_sharing(const Graph& graph);

}  // namespace dlg::test
