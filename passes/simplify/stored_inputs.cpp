#include "passes/simplify/stored_inputs.h"

#include "ir/graph/rewriter.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// What the program means by what is read.
Expr meant(Expr read, const StoredAs& stored, DType dtype) {
  Expr number = cast(read, dtype);
  if (stored.subtract != 0) number = number - stored.subtract;
  if (stored.divide != 1) number = number / constant_like(number, stored.divide);
  if (stored.multiply != 1) number = number * stored.multiply;
  return number;
}

}  // namespace

Graph read_stored(const Graph& graph) {
  Graph result = Rewriter(graph).run([&](Builder& builder, const Node& node, const NodeInfo& info) {
    const Input* input = node.op == &ops::input ? graph.find_input(*leaf_path(node)) : nullptr;
    if (input == nullptr || !input->stored) return ValueId{};
    const TensorType type{input->stored->type, node.type.shape};
    const Expr read{&builder, builder.add(ops::input, {}, node.attributes, type)};
    builder.set_name(read.value, info.name + ".stored");
    return meant(read, *input->stored, node.type.dtype).value;
  });
  for (Input& input : result.inputs) {
    if (!input.stored) continue;
    input.type.dtype = input.stored->type;
    input.stored.reset();
  }
  return result;
}

}  // namespace dlg
