#include "passes/simplify/simplify.h"

#include "ir/graph/rewriter.h"
#include "passes/simplify/fold_constants.h"

namespace dlg {
namespace {

ValueId expand(Builder& builder, const Node& mapped) {
  if (!is<Composite>(*mapped.op)) return {};
  CompositeScope scope(builder, mapped);
  return std::get<Composite>(mapped.op->lowering).expand(scope);
}

ValueId apply_first_law(Builder& builder, const Node& mapped) {
  for (const Law& law : exact_laws().all()) {
    const ValueId value = apply_law(law, builder, mapped);
    if (!value.is_valid()) continue;
    builder.add_law(value, law.name);
    return value;
  }
  return {};
}

ValueId simplify_node(Builder& builder, const Node& mapped) {
  const ValueId expanded = expand(builder, mapped);
  if (expanded.is_valid()) return expanded;
  const ValueId folded = fold_constant(builder, mapped);
  if (folded.is_valid()) {
    builder.add_law(folded, "constant");
    return folded;
  }
  return apply_first_law(builder, mapped);
}

}  // namespace

Graph simplify(const Graph& graph) {
  Graph current = graph;
  bool has_changed = true;
  // Every rewrite removes a composite, a computed node or a sign, so this ends.
  while (has_changed) {
    has_changed = false;
    current = compact(Rewriter(current).run([&](Builder& builder, const Node& mapped, const NodeInfo&) {
      const ValueId value = simplify_node(builder, mapped);
      has_changed |= value.is_valid();
      return value;
    }));
  }
  return current;
}

}  // namespace dlg
