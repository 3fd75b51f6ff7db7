#include "passes/simplify/repeat_draws.h"

#include <algorithm>
#include <map>

#include "ir/graph/rewriter.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// What is drawn in the new graph.
class Drawn {
 public:
  explicit Drawn(Builder& builder) : builder_(builder) {}

  /// Whether a node is a draw, or a map of draws and leaves.
  bool is_drawn(const Node& node);
  bool contains(ValueId value);
  /// `value` with draws of their own, those of copy number `copy`; 0 is the value itself.
  ValueId copy_of(ValueId value, std::int64_t copy);

 private:
  Builder& builder_;
  std::map<ValueId, bool> known_;
};

bool Drawn::contains(ValueId value) {
  const auto found = known_.find(value);
  if (found != known_.end()) return found->second;
  return known_[value] = is_drawn(builder_.graph()[value]);
}

bool Drawn::is_drawn(const Node& node) {
  if (node.op == &ops::draw) return true;
  if (!is<Map>(*node.op)) return false;
  const auto is_leaf = [&](ValueId operand) { return is<Leaf>(*builder_.graph()[operand].op); };
  const auto is_known = [&](ValueId operand) { return is_leaf(operand) || contains(operand); };
  return std::all_of(node.operands.begin(), node.operands.end(), is_known) &&
         !std::all_of(node.operands.begin(), node.operands.end(), is_leaf);
}

ValueId Drawn::copy_of(ValueId value, std::int64_t copy) {
  if (copy == 0 || !contains(value)) return value;
  const Node node = builder_.graph()[value];
  const NodeInfo info = builder_.graph().infos[value];
  Node mine = node;
  if (DrawSource* source = std::get_if<DrawSource>(&mine.attributes)) {
    source->copy = copy;
  } else {
    for (ValueId& operand : mine.operands) operand = copy_of(operand, copy);
  }
  const ValueId made = builder_.add(*mine.op, mine.operands, mine.attributes, mine.type);
  builder_.copy_info(made, info);
  return made;
}

}  // namespace

Graph repeat_draws(const Graph& graph) {
  std::map<ValueId, std::int64_t> readers;  // so far, of what is drawn
  std::optional<Drawn> drawn;
  return Rewriter(graph).run([&](Builder& builder, const Node& node, const NodeInfo&) {
    if (!drawn) drawn.emplace(builder);
    Node mine = node;
    if (drawn->is_drawn(node)) return ValueId{};
    for (ValueId& operand : mine.operands) {
      if (drawn->contains(operand)) operand = drawn->copy_of(operand, readers[operand]++);
    }
    return builder.add(*mine.op, mine.operands, mine.attributes, mine.type);
  });
}

}  // namespace dlg
