// Owns rebuilding: a new graph from an old one, node by node, with a map from old values to new ones.
#pragma once

#include <functional>

#include "ir/graph/builder.h"

namespace dlg {

/// Copies what is live of `source` into `target` in order. `rewrite` may answer with another value of the
/// target for a node whose operands are already mapped; an invalid id means: copy it as it is. States, inputs
/// and hypers are copied first, outputs and effects last. Names, origins and laws go along.
class Rewriter {
 public:
  using Rewrite = std::function<ValueId(Builder&, const Node& mapped, const NodeInfo& info)>;

  explicit Rewriter(const Graph& source);

  Graph run(const Rewrite& rewrite);

  /// Where a value of the source went; invalid: it is dead, or `run` has not come so far.
  ValueId target_of(ValueId value) const { return map_[value]; }

 private:
  const Graph& source_;
  IdVector<ValueId, ValueId> map_;
};

/// Dead code removed, values renumbered, nothing else changed.
Graph compact(const Graph& graph);

/// Appends to `builder`'s graph a copy of everything `roots` need in that same graph, with `replacements`
/// (old value, new value) put in place of some values; answers with the copies of `roots`. Used to build
/// forward graphs at shifted points.
std::vector<ValueId> clone_with(Builder& builder, const std::vector<ValueId>& roots,
                                const std::vector<std::pair<ValueId, ValueId>>& replacements);

/// A graph with the same states and inputs that computes only `outputs`, without effects.
Graph with_outputs(const Graph& graph, std::vector<Output> outputs);

}  // namespace dlg
