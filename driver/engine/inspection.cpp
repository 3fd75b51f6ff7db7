#include "driver/engine/inspection.h"

#include <algorithm>
#include <set>

#include "ir/ops/expr.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// What the loss is computed from, the loss included; nothing without a loss.
IdVector<ValueId, char> ancestors_of_loss(const Graph& graph) {
  const std::optional<ValueId> loss = graph.find_output("loss");
  return loss ? ancestors_of(graph, *loss) : IdVector<ValueId, char>(graph.nodes.size(), 0);
}

/// `grad.PATH` for every trained parameter that the loss depends on.
void add_parameter_gradients(Graph& graph, Builder& builder, const IdVector<ValueId, char>& reaches_loss) {
  for (std::uint32_t i = 0; i < reaches_loss.size(); ++i) {
    const ValueId value{i};
    const Node& node = graph[value];
    if (!reaches_loss[value] || node.op != &ops::state) continue;
    const std::string path = *leaf_path(node);
    if (graph.states[*graph.find_state(path)].kind != StateKind::kParameter) continue;
    const Expr derivative = gradient(Expr{&builder, *graph.find_output("loss")}, Expr{&builder, value});
    graph.outputs.push_back({"grad." + path, derivative.value});
  }
}

}  // namespace

Inspection inspect(const CheckedProgram& program) {
  Inspection inspection{program.graph, {}};
  Graph& graph = inspection.graph;
  // Who looks changes nothing.
  graph.effects.clear();
  const IdVector<ValueId, char> reaches_loss = ancestors_of_loss(graph);
  Builder builder(graph);
  std::set<std::string> seen;
  for (const NamedValue& named : program.values) {
    if (!seen.insert(named.name).second) continue;
    const TensorType type = graph.type(named.value);
    const bool has_gradient = reaches_loss[named.value] && is_float(type.dtype);
    graph.outputs.push_back({"value." + named.name, named.value});
    if (has_gradient) {
      const Expr derivative =
          gradient(Expr{&builder, *graph.find_output("loss")}, Expr{&builder, named.value});
      graph.outputs.push_back({"grad." + named.name, derivative.value});
    }
    inspection.values.push_back({named.name, type, has_gradient, named.range});
  }
  add_parameter_gradients(graph, builder, reaches_loss);
  std::stable_sort(inspection.values.begin(), inspection.values.end(),
                   [](const InspectedValue& a, const InspectedValue& b) { return a.range < b.range; });
  return inspection;
}

std::vector<State> trained_parameters(const Graph& graph) {
  std::vector<State> trained;
  for (const State& state : graph.states) {
    if (state.kind == StateKind::kParameter) trained.push_back(state);
  }
  return trained;
}

}  // namespace dlg
