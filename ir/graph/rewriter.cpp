#include "ir/graph/rewriter.h"

namespace dlg {
namespace {

ValueId mapped(const IdVector<ValueId, ValueId>& map, ValueId value) {
  return value.is_valid() ? map[value] : value;
}

Node with_mapped_operands(const Node& node, const IdVector<ValueId, ValueId>& map) {
  Node copy = node;
  for (ValueId& operand : copy.operands) operand = mapped(map, operand);
  return copy;
}

}  // namespace

Rewriter::Rewriter(const Graph& source) : source_(source), map_(source.nodes.size()) {}

Graph Rewriter::run(const Rewrite& rewrite) {
  Graph target;
  target.batch = source_.batch;
  target.states = source_.states;
  target.inputs = source_.inputs;
  target.hypers = source_.hypers;
  Builder builder(target);
  const IdVector<ValueId, char> live = live_values(source_);
  for (const ValueId value : source_.nodes.ids()) {
    if (!live[value]) continue;
    const Node node = with_mapped_operands(source_[value], map_);
    const std::vector<SourceRange>& origins = source_.infos[value].origins;
    // What a rewrite adds comes from where the node comes from.
    builder.current_origin = origins.empty() ? SourceRange{} : origins.front();
    ValueId copy = rewrite(builder, node, source_.infos[value]);
    builder.current_origin = {};
    if (!copy.is_valid()) copy = builder.add(*node.op, node.operands, node.attributes, node.type);
    builder.copy_info(copy, source_.infos[value]);
    map_[value] = copy;
  }
  for (const Output& output : source_.outputs) target.outputs.push_back({output.name, map_[output.value]});
  for (const Effect& effect : source_.effects) target.effects.push_back({effect.state, map_[effect.value]});
  return target;
}

Graph compact(const Graph& graph) {
  return Rewriter(graph).run([](Builder&, const Node&, const NodeInfo&) { return ValueId{}; });
}

std::vector<ValueId> clone_with(Builder& builder, const std::vector<ValueId>& roots,
                                const std::vector<std::pair<ValueId, ValueId>>& replacements) {
  Graph& graph = builder.graph();
  const std::size_t count = graph.nodes.size();
  IdVector<ValueId, char> needed(count, 0);
  for (const ValueId root : roots) needed[root] = 1;
  for (std::uint32_t i = static_cast<std::uint32_t>(count); i-- > 0;) {
    if (!needed[ValueId{i}]) continue;
    for (const ValueId operand : graph[ValueId{i}].operands) needed[operand] = 1;
  }
  IdVector<ValueId, ValueId> map(count);
  for (const auto& [from, to] : replacements) map[from] = to;
  for (std::uint32_t i = 0; i < count; ++i) {
    const ValueId value{i};
    if (!needed[value] || map[value].is_valid()) continue;
    const Node node = with_mapped_operands(graph[value], map);
    const NodeInfo info = graph.infos[value];
    const bool is_unchanged = node.operands == graph[value].operands;
    map[value] = is_unchanged ? value : builder.add(*node.op, node.operands, node.attributes, node.type);
    if (!is_unchanged) builder.copy_info(map[value], info);
  }
  std::vector<ValueId> copies;
  for (const ValueId root : roots) copies.push_back(map[root]);
  return copies;
}

Graph with_outputs(const Graph& graph, std::vector<Output> outputs) {
  Graph chosen = graph;
  chosen.outputs = std::move(outputs);
  chosen.effects.clear();
  chosen.groups = {};
  return compact(chosen);
}

}  // namespace dlg
