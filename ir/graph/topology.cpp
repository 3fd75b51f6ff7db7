#include "ir/graph/topology.h"

#include <fmt/format.h>

#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/topological_sort.hpp>
#include <boost/graph/transitive_closure.hpp>
#include <functional>
#include <queue>

namespace dlg {
namespace {

using Digraph = boost::adjacency_list<boost::vecS, boost::vecS, boost::directedS>;

Digraph digraph_of(const Edges& edges) {
  Digraph graph(edges.count);
  for (const auto& [from, to] : edges.edges) boost::add_edge(from, to, graph);
  return graph;
}

/// Vertices from sinks to sources; nullopt if there is a cycle.
std::optional<std::vector<std::size_t>> reverse_order(const Digraph& graph) {
  std::vector<std::size_t> order;
  try {
    boost::topological_sort(graph, std::back_inserter(order));
  } catch (const boost::not_a_dag&) {
    return std::nullopt;
  }
  return order;
}

/// In quotes for Graphviz.
std::string dot_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::optional<std::vector<std::size_t>> topological_order(const Edges& edges) {
  const Digraph graph = digraph_of(edges);
  std::vector<std::size_t> waits_for(edges.count, 0);
  for (const auto& edge : boost::make_iterator_range(boost::edges(graph)))
    ++waits_for[boost::target(edge, graph)];
  std::priority_queue<std::size_t, std::vector<std::size_t>, std::greater<>> ready;
  for (std::size_t vertex = 0; vertex < edges.count; ++vertex) {
    if (waits_for[vertex] == 0) ready.push(vertex);
  }
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const std::size_t vertex = ready.top();
    ready.pop();
    order.push_back(vertex);
    for (const std::size_t next : boost::make_iterator_range(boost::adjacent_vertices(vertex, graph))) {
      if (--waits_for[next] == 0) ready.push(next);
    }
  }
  if (order.size() != edges.count) return std::nullopt;
  return order;
}

Reachability::Reachability(const Edges& edges) : rows_(edges.count, std::vector<bool>(edges.count, false)) {
  const Digraph graph = digraph_of(edges);
  const std::optional<std::vector<std::size_t>> order = reverse_order(graph);
  if (!order) {
    // Cycles are rare; the general closure handles them.
    Digraph closure;
    boost::transitive_closure(graph, closure);
    for (std::size_t vertex = 0; vertex < edges.count; ++vertex) rows_[vertex][vertex] = true;
    for (const auto& edge : boost::make_iterator_range(boost::edges(closure))) {
      rows_[boost::source(edge, closure)][boost::target(edge, closure)] = true;
    }
    return;
  }
  for (const std::size_t vertex : *order) {
    std::vector<bool>& row = rows_[vertex];
    row[vertex] = true;
    for (const std::size_t next : boost::make_iterator_range(boost::adjacent_vertices(vertex, graph))) {
      for (std::size_t i = 0; i < edges.count; ++i) row[i] = row[i] || rows_[next][i];
    }
  }
}

bool Reachability::reaches(std::size_t from, std::size_t to) const {
  return rows_[from][to];
}

Edges value_edges(const Graph& graph) {
  Edges edges{graph.nodes.size(), {}};
  for (const ValueId user : graph.nodes.ids()) {
    for (const ValueId operand : graph[user].operands) edges.edges.emplace_back(operand.index, user.index);
  }
  return edges;
}

bool quotient_is_acyclic(const Edges& edges, const std::vector<std::size_t>& class_of) {
  Edges quotient;
  for (const std::size_t number : class_of) quotient.count = std::max(quotient.count, number + 1);
  for (const auto& [from, to] : edges.edges) {
    const bool is_inner = class_of[from] == class_of[to];
    if (!is_inner) quotient.edges.emplace_back(class_of[from], class_of[to]);
  }
  return reverse_order(digraph_of(quotient)).has_value();
}

std::string draw(const Graph& graph) {
  Graph named = graph;
  name_nodes(named);
  const auto node_line = [&](ValueId value, std::string_view indent) {
    const std::string label =
        fmt::format("{} = {}\n{}", named.name(value), named[value].op->name, type_text(named.type(value)));
    const std::string_view shape = named[value].operands.empty() ? "ellipse" : "box";
    std::string text = dot_text(label);
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n'))
      text.replace(at, 1, "\\n");
    return fmt::format("{}n{} [label={}, shape={}];\n", indent, value.index, text, shape);
  };
  std::string text = "digraph graph_ir {\n  rankdir=TB;\n";
  IdVector<ValueId, char> is_grouped(named.nodes.size(), 0);
  for (const GroupId group : named.groups.ids()) {
    text += fmt::format("  subgraph cluster_{} {{\n    label={};\n", group.index,
                        dot_text(named.groups[group].name));
    for (const ValueId value : named.groups[group].nodes) {
      is_grouped[value] = 1;
      text += node_line(value, "    ");
    }
    text += "  }\n";
  }
  for (const ValueId value : named.nodes.ids()) {
    if (!is_grouped[value]) text += node_line(value, "  ");
  }
  for (const auto& [from, to] : value_edges(named).edges) text += fmt::format("  n{} -> n{};\n", from, to);
  for (const Output& output : named.outputs) {
    text += fmt::format("  {} [shape=plaintext];\n  n{} -> {};\n", dot_text(output.name), output.value.index,
                        dot_text(output.name));
  }
  for (const Effect& effect : named.effects) {
    const std::string state = dot_text(named.states[effect.state].path);
    text += fmt::format("  {} [shape=cylinder];\n  n{} -> {};\n", state, effect.value.index, state);
  }
  return text + "}\n";
}

}  // namespace dlg
