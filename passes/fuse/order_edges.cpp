#include "passes/fuse/order_edges.h"

#include <algorithm>

#include "ir/graph/state_values.h"

namespace dlg {
namespace {

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

void add_unless_cyclic(Edges& edges, const Pairs& more) {
  const std::size_t before = edges.edges.size();
  edges.edges.insert(edges.edges.end(), more.begin(), more.end());
  if (!topological_order(edges)) edges.edges.resize(before);
}

bool is_computed(const Graph& graph, ValueId value) {
  return !is<Leaf>(*graph[value].op);
}

/// The pairs of all effects where they leave no cycle: all of them at once, or those of one effect after the
/// other.
void add_where_acyclic(Edges& edges, const std::vector<Pairs>& of_effects) {
  const std::size_t before = edges.edges.size();
  for (const Pairs& pairs : of_effects) edges.edges.insert(edges.edges.end(), pairs.begin(), pairs.end());
  if (topological_order(edges)) return;
  edges.edges.resize(before);
  for (const Pairs& pairs : of_effects) add_unless_cyclic(edges, pairs);
}

}  // namespace

Readers readers_of(const Graph& graph, const IsInlined& is_inlined) {
  Readers readers(graph.nodes.size());
  for (std::uint32_t i = static_cast<std::uint32_t>(graph.nodes.size()); i-- > 0;) {
    const ValueId value{i};
    // All who read it come behind it, so the list is whole.
    std::vector<ValueId>& own = readers[value];
    std::sort(own.begin(), own.end());
    own.erase(std::unique(own.begin(), own.end()), own.end());
    const std::vector<ValueId> by = is_inlined(value) ? readers[value] : std::vector{value};
    for (const ValueId operand : graph[value].operands) {
      readers[operand].insert(readers[operand].end(), by.begin(), by.end());
    }
  }
  return readers;
}

Edges data_edges(const Graph& graph, const IsInlined& is_inlined) {
  const Readers readers = readers_of(graph, is_inlined);
  Edges edges{graph.nodes.size(), {}};
  for (const ValueId value : graph.nodes.ids()) {
    if (!is_computed(graph, value) || is_inlined(value)) continue;
    for (const ValueId reader : readers[value]) edges.edges.emplace_back(value.index, reader.index);
  }
  return edges;
}

Edges order_edges(const Graph& graph, const IsInlined& is_inlined) {
  const Readers readers = readers_of(graph, is_inlined);
  Edges edges = data_edges(graph, is_inlined);
  std::vector<Pairs> writes;
  for (const Effect& effect : graph.effects) {
    const ValueId state = find_state_value(graph, graph.states[effect.state].path);
    if (!state.is_valid() || !is_computed(graph, effect.value)) continue;
    Pairs pairs;
    for (const ValueId reader : readers[state]) {
      if (reader != effect.value) pairs.emplace_back(reader.index, effect.value.index);
    }
    writes.push_back(std::move(pairs));
  }
  add_where_acyclic(edges, writes);
  std::vector<Pairs> behind_test;
  for (const ValueId tested : tested_values(graph)) {
    if (!is_computed(graph, tested)) continue;
    for (const Effect& effect : graph.effects) {
      if (!is_computed(graph, effect.value) || effect.value == tested) continue;
      behind_test.push_back({{tested.index, effect.value.index}});
    }
  }
  if (!behind_test.empty()) add_where_acyclic(edges, behind_test);
  return edges;
}

Edges class_edges(const Edges& edges, const std::vector<std::size_t>& class_of, std::size_t classes) {
  Edges quotient{classes, {}};
  for (const auto& [from, to] : edges.edges) {
    if (class_of[from] != class_of[to]) quotient.edges.emplace_back(class_of[from], class_of[to]);
  }
  std::sort(quotient.edges.begin(), quotient.edges.end());
  quotient.edges.erase(std::unique(quotient.edges.begin(), quotient.edges.end()), quotient.edges.end());
  return quotient;
}

}  // namespace dlg
