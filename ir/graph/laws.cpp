#include "ir/graph/laws.h"

#include <algorithm>
#include <array>

#include "ir/ops/registry.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

constexpr std::array<const char*, 3> kVariableNames{"x", "y", "z"};

bool is_splat(const Node& node) {
  return node.op == &ops::constant && std::get<ConstantElements>(node.attributes).is_splat();
}

/// Matches one law at one node. Patterns are a few nodes deep, so the walk recurses.
class Match {
 public:
  Match(const Law& law, Builder& builder) : law_(law), builder_(builder), bound_(law.pattern.nodes.size()) {}

  bool root(ValueId pattern, const Node& node) {
    const Node& p = law_.pattern[pattern];
    return same_kind(p, node) && operands(p, node);
  }

  ValueId build(ValueId pattern, const Node& root, const std::optional<Attributes>& merged) {
    if (bound_[pattern].is_valid()) return bound_[pattern];
    const Node& p = law_.pattern[pattern];
    const bool is_root = pattern == law_.pattern.find_output("right");
    const bool is_typed_by_root = is_root || is_splat(p);
    DLG_CHECK(is_typed_by_root || !p.op->declares_type, "a law declares a type inside its right side");
    std::vector<ValueId> operands;
    for (const ValueId operand : p.operands) operands.push_back(build(operand, root, merged));
    if (has_defect(Defect::kReversedLaw)) std::reverse(operands.begin(), operands.end());
    return builder_.add(*p.op, std::move(operands), is_root && merged ? *merged : p.attributes, root.type);
  }

 private:
  bool same_kind(const Node& p, const Node& node) const {
    if (p.op != node.op || p.operands.size() != node.operands.size()) return false;
    return law_.merge != nullptr || p.attributes == node.attributes;
  }

  bool operands(const Node& p, const Node& node) {
    const IdVector<ValueId, ValueId> before = bound_;
    if (in_order(p.operands, node.operands)) return true;
    bound_ = before;
    const bool may_swap = p.op->is_commutative && node.operands.size() == 2;
    return may_swap && in_order(p.operands, {node.operands[1], node.operands[0]});
  }

  bool in_order(const std::vector<ValueId>& patterns, const std::vector<ValueId>& values) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (!value(patterns[i], values[i])) return false;
    }
    return true;
  }

  bool value(ValueId pattern, ValueId value) {
    const Node& p = law_.pattern[pattern];
    const Node& node = builder_.graph()[value];
    if (p.op == &ops::input) {
      if (!bound_[pattern].is_valid()) bound_[pattern] = value;
      return bound_[pattern] == value;
    }
    const bool is_match = is_splat(p) ? is_splat(node) && p.attributes == node.attributes
                                      : same_kind(p, node) && operands(p, node);
    // What stands on the right side too is not made again.
    if (is_match) bound_[pattern] = value;
    return is_match;
  }

  const Law& law_;
  Builder& builder_;
  IdVector<ValueId, ValueId> bound_;  // the value that each matched pattern node stands for
};

}  // namespace

void Laws::law(std::string name, const std::vector<TensorType>& variables,
               const std::function<Sides(const std::vector<Expr>&)>& write, MergeAttributes merge) {
  Law law{std::move(name), {}, {}, merge};
  Builder builder(law.pattern);
  std::vector<Expr> written;
  for (std::size_t i = 0; i < variables.size(); ++i) {
    const std::string path = kVariableNames[i];
    law.pattern.inputs.push_back({path, variables[i], {}, {}});
    law.variables.push_back(builder.add(ops::input, {}, LeafPath{path}, variables[i]));
    written.push_back({&builder, law.variables.back()});
  }
  const auto [left, right] = write(written);
  law.pattern.outputs = {{"left", left.value}, {"right", right.value}};
  laws_.push_back(std::move(law));
}

ValueId apply_law(const Law& law, Builder& builder, const Node& mapped) {
  Match match(law, builder);
  if (!match.root(*law.pattern.find_output("left"), mapped)) return {};
  std::optional<Attributes> merged;
  if (law.merge != nullptr) {
    const bool has_inner = !mapped.operands.empty();
    const Attributes inner = has_inner ? builder.graph()[mapped.operands[0]].attributes : Attributes{};
    merged = law.merge(mapped.attributes, inner);
    if (!merged) return {};
  }
  const ValueId result = match.build(*law.pattern.find_output("right"), mapped, merged);
  return builder.type(result) == mapped.type ? result : ValueId{};
}

}  // namespace dlg
