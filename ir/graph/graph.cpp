#include "ir/graph/graph.h"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "support/text.h"

namespace dlg {
namespace {

/// Marks what the marked nodes are computed from.
void mark_operands(const Graph& graph, IdVector<ValueId, char>& marked) {
  for (std::uint32_t i = static_cast<std::uint32_t>(graph.nodes.size()); i-- > 0;) {
    if (!marked[ValueId{i}]) continue;
    for (const ValueId operand : graph[ValueId{i}].operands) marked[operand] = 1;
  }
}

/// A number written out is its own best name: `mul 0.5, x`.
bool is_number(const Node& node) {
  const auto* said = std::get_if<ConstantElements>(&node.attributes);
  return said != nullptr && said->is_splat();
}

std::string leaf_name(const Node& node) {
  return is_number(node) ? number_text(std::get<ConstantElements>(node.attributes).value)
                         : std::string(node.op->name);
}

/// What tells the n-th namesake from the first: one to three strokes, then a stroke and the number.
std::string prime(std::size_t n) {
  constexpr std::size_t kMostStrokes = 3;
  return n <= kMostStrokes ? std::string(n, '\'') : fmt::format("'{}", n);
}

/// The source name that stands nearest above `node`: its own, or that of its first operand that has one.
std::string root_name(const Node& node, const std::string& own, const IdVector<ValueId, std::string>& roots) {
  if (is_number(node)) return "";
  if (!own.empty()) return own;
  if (node.operands.empty()) return std::string(node.op->name);
  for (const ValueId operand : node.operands) {
    if (!roots[operand].empty()) return roots[operand];
  }
  return "";
}

}  // namespace

void no_gradient(VjpScope&) {}

Interval Input::range() const {
  Interval all = Interval::none();
  for (const std::int64_t limit : below) all = united(all, limit > 0 ? Interval::below(limit) : Interval{});
  return below.empty() ? Interval{} : all;
}

std::optional<StateId> Graph::find_state(std::string_view path) const {
  for (const StateId id : states.ids()) {
    if (states[id].path == path) return id;
  }
  return std::nullopt;
}

const Input* Graph::find_input(std::string_view path) const {
  for (const Input& input : inputs) {
    if (input.path == path) return &input;
  }
  return nullptr;
}

const Hyper* Graph::find_hyper(std::string_view name) const {
  for (const Hyper& hyper : hypers) {
    if (hyper.name == name) return &hyper;
  }
  return nullptr;
}

std::optional<ValueId> Graph::find_output(std::string_view name) const {
  for (const Output& output : outputs) {
    if (output.name == name) return output.value;
  }
  return std::nullopt;
}

const std::string* leaf_path(const Node& node) {
  if (const auto* leaf = std::get_if<LeafPath>(&node.attributes)) return &leaf->path;
  const auto* hyper = std::get_if<HyperName>(&node.attributes);
  return hyper == nullptr ? nullptr : &hyper->name;
}

std::vector<ValueId> tested_values(const Graph& graph) {
  std::vector<ValueId> values;
  for (const std::string_view name : {std::string_view("loss"), kWeightOutput, kFaultOutput}) {
    if (const std::optional<ValueId> value = graph.find_output(name)) values.push_back(*value);
  }
  return values;
}

std::string_view word_of(const Node& node) {
  return node.op->word == nullptr ? node.op->name : node.op->word(node.attributes);
}

IdVector<ValueId, std::vector<ValueId>> users_of(const Graph& graph) {
  IdVector<ValueId, std::vector<ValueId>> users(graph.nodes.size());
  for (const ValueId user : graph.nodes.ids()) {
    for (const ValueId operand : graph[user].operands) {
      if (users[operand].empty() || users[operand].back() != user) users[operand].push_back(user);
    }
  }
  return users;
}

IdVector<ValueId, char> ancestors_of(const Graph& graph, ValueId value) {
  IdVector<ValueId, char> marked(graph.nodes.size(), 0);
  marked[value] = 1;
  mark_operands(graph, marked);
  return marked;
}

IdVector<ValueId, char> live_values(const Graph& graph) {
  IdVector<ValueId, char> live(graph.nodes.size(), 0);
  for (const Output& output : graph.outputs) live[output.value] = 1;
  for (const Effect& effect : graph.effects) live[effect.value] = 1;
  mark_operands(graph, live);
  return live;
}

void name_nodes(Graph& graph) {
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, std::size_t> collisions;
  IdVector<ValueId, std::string> roots(graph.nodes.size());
  for (const ValueId value : graph.nodes.ids()) {
    NodeInfo& info = graph.infos[value];
    const Node& node = graph[value];
    roots[value] = root_name(node, info.name, roots);
    if (info.name.empty()) {
      const bool is_plain = node.operands.empty() || roots[value].empty();
      info.name = is_plain ? leaf_name(node) : fmt::format("{}.{}", roots[value], word_of(node));
    }
    const std::string wanted = info.name;
    while (!taken.insert(info.name).second) info.name = wanted + prime(++collisions[wanted]);
  }
}

}  // namespace dlg
