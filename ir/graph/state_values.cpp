#include "ir/graph/state_values.h"

#include <fmt/format.h>

#include "ir/ops/registry.h"

namespace dlg {

bool reads_state(const Node& node, std::string_view path) {
  return node.op == &ops::state && *leaf_path(node) == path;
}

ValueId find_state_value(const Graph& graph, std::string_view path) {
  for (const ValueId value : graph.nodes.ids()) {
    if (reads_state(graph[value], path)) return value;
  }
  return {};
}

std::vector<StateValue> read_parameters(const Graph& graph) {
  std::vector<StateValue> found;
  for (const StateId state : graph.states.ids()) {
    if (graph.states[state].kind != StateKind::kParameter) continue;
    const ValueId value = find_state_value(graph, graph.states[state].path);
    if (value.is_valid()) found.push_back({state, value});
  }
  return found;
}

std::string_view last_path_part(std::string_view path) {
  return path.substr(path.rfind('.') + 1);
}

std::string gradient_output(std::string_view path) {
  return fmt::format("d({})", path);
}

bool is_gradient_output(std::string_view name) {
  return name.starts_with("d(") && name.ends_with(")");
}

}  // namespace dlg
