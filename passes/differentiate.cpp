#include "passes/differentiate.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/graph/rewriter.h"
#include "ir/graph/state_values.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

/// What the reverse walk does at a value it differentiates with respect to: the derivative is total (go on
/// through the value) or partial (the value counts as a variable of its own).
enum class Derivative { kTotal, kPartial };

/// A cotangent is three-state: a value without a path has none; one with a path but without a contribution
/// is zero (an invalid id); the others have a value.
struct Cotangents {
  IdVector<ValueId, char> depends;  // on some value of `wrt`
  IdVector<ValueId, char> reached;  // the root depends on it
  IdVector<ValueId, ValueId> value;
};

IdVector<ValueId, char> dependents(const Graph& graph, const std::vector<ValueId>& wrt) {
  IdVector<ValueId, char> depends(graph.nodes.size(), 0);
  for (const ValueId value : wrt) depends[value] = 1;
  for (const ValueId value : graph.nodes.ids()) {
    for (const ValueId operand : graph[value].operands) depends[value] |= depends[operand];
  }
  return depends;
}

IdVector<ValueId, char> ancestors(const Graph& graph, ValueId root) {
  IdVector<ValueId, char> reached(graph.nodes.size(), 0);
  reached[root] = 1;
  for (std::uint32_t i = root.index + 1; i-- > 0;) {
    if (!reached[ValueId{i}]) continue;
    for (const ValueId operand : graph[ValueId{i}].operands) reached[operand] = 1;
  }
  return reached;
}

/// `d` + name; a value that is read from outside by its path goes by the path's last part: `dW2` for
/// `net.W2`.
std::string adjoint_name(const Node& node, const NodeInfo& info) {
  if (node.operands.empty() && !node.attributes.text.empty()) {
    return "d" + std::string(last_path_part(node.attributes.text));
  }
  return info.name.empty() ? "" : "d" + info.name;
}

using Gradients = std::vector<std::optional<ValueId>>;

Gradients pull_back(Builder& builder, ValueId root, ValueId seed, const std::vector<ValueId>& wrt,
                    Derivative derivative);

void contribute(Builder& builder, Cotangents& cotangents, ValueId operand, Expr gradient) {
  if (!cotangents.depends[operand]) return;
  DLG_CHECK(gradient.type() == builder.type(operand),
            fmt::format("a gradient of type {} for a value of type {}", type_text(gradient.type()),
                        type_text(builder.type(operand))));
  ValueId& sum = cotangents.value[operand];
  if (sum.is_valid() && has_defect(Defect::kDroppedContribution)) return;
  sum = sum.is_valid() ? (Expr{&builder, sum} + gradient).value : gradient.value;
}

/// A composite without a derivative of its own leaves it to its parts: the walk goes through the expansion.
void pull_back_expansion(Builder& builder, Cotangents& cotangents, ValueId value, ValueId seed) {
  const Node node = builder.graph()[value];
  std::vector<ValueId> operands = node.operands;
  std::sort(operands.begin(), operands.end());
  operands.erase(std::unique(operands.begin(), operands.end()), operands.end());
  CompositeScope scope(builder, node);
  const ValueId root = std::get<Composite>(node.op->lowering).expand(scope);
  const Gradients parts = pull_back(builder, root, seed, operands, Derivative::kPartial);
  for (std::size_t i = 0; i < operands.size(); ++i) {
    if (parts[i]) contribute(builder, cotangents, operands[i], {&builder, *parts[i]});
  }
}

/// One step of the walk: the rule of the node's op turns the seed into contributions to the operands.
void pull_back_node(Builder& builder, Cotangents& cotangents, ValueId value) {
  const ValueId seed = cotangents.value[value];
  const OpDef& op = *builder.graph()[value].op;
  if (op.vjp == kByExpansion) return pull_back_expansion(builder, cotangents, value, seed);
  VjpScope scope(builder, value, seed, [&](std::size_t i, Expr gradient) {
    contribute(builder, cotangents, builder.graph()[value].operands[i], gradient);
  });
  op.vjp(scope);
}

ValueId zero_of(Builder& builder, ValueId value) {
  return constant(builder, 0, builder.type(value)).value;
}

/// The reverse walk: from the root towards smaller ids, which is a reverse topological order.
Gradients pull_back(Builder& builder, ValueId root, ValueId seed, const std::vector<ValueId>& wrt,
                    Derivative derivative) {
  const Graph& graph = builder.graph();
  Cotangents cotangents{dependents(graph, wrt), ancestors(graph, root),
                        IdVector<ValueId, ValueId>(graph.nodes.size())};
  IdVector<ValueId, char> is_variable(graph.nodes.size(), 0);
  for (const ValueId value : wrt) is_variable[value] = 1;
  cotangents.value[root] = seed;
  for (std::uint32_t i = root.index + 1; i-- > 0;) {
    const ValueId value{i};
    if (!cotangents.depends[value] || !cotangents.value[value].is_valid()) continue;
    const NodeInfo info = graph.infos[value];
    const CheckContext context(fmt::format("differentiating {} {}", graph[value].op->name, info.name));
    builder.current_origin = info.origins.empty() ? SourceRange{} : info.origins.front();
    const ValueId cotangent = cotangents.value[value];
    // A leaf, the constant 1 of the seed above all, serves many places and keeps its own name.
    if (!graph[cotangent].operands.empty()) builder.set_name(cotangent, adjoint_name(graph[value], info));
    builder.add_origin(cotangent, builder.current_origin);
    const bool is_end = is_variable[value] && derivative == Derivative::kPartial;
    if (!is_end) pull_back_node(builder, cotangents, value);
  }
  Gradients result;
  for (const ValueId value : wrt) {
    const ValueId sum = cotangents.value[value];
    const bool has_path = cotangents.reached[value];
    if (!has_path) result.emplace_back();
    if (has_path) result.emplace_back(sum.is_valid() ? sum : zero_of(builder, value));
  }
  return result;
}

/// 1, or 1 / rows in every row: the seed of a batch mean.
ValueId seed_of(Builder& builder, ValueId e) {
  const TensorType type = builder.type(e);
  const bool is_per_sample = type.shape == Shape{kBatch};
  DLG_CHECK(is_float(type.dtype) && (is_per_sample || type.shape.rank() == 0),
            fmt::format("a derivative of a value of type {}", type_text(type)));
  if (!is_per_sample) return constant(builder, 1, type).value;
  return broadcast_to(1.0 / batch_rows(builder, type.dtype), type.shape).value;
}

}  // namespace

std::vector<std::optional<ValueId>> gradients(Builder& builder, ValueId e, const std::vector<ValueId>& wrt) {
  const SourceRange outer = builder.current_origin;
  const std::vector<SourceRange>& origins = builder.graph().infos[e].origins;
  builder.current_origin = origins.empty() ? SourceRange{} : origins.front();
  Gradients result = pull_back(builder, e, seed_of(builder, e), wrt, Derivative::kTotal);
  builder.current_origin = outer;
  return result;
}

ValueId second_derivatives(Builder& builder, const std::vector<ValueId>& first,
                           const std::vector<ValueId>& wrt) {
  std::vector<Expr> parts;
  for (const ValueId value : first) parts.push_back({&builder, value});
  const Expr gradient = flattened(parts);
  const std::int64_t count = gradient.shape().elements();
  std::vector<Expr> rows;
  for (std::int64_t k = 0; k < count; ++k) {
    const Expr element = reshape(slice(gradient, {k}, {1}), {});
    const Gradients found = gradients(builder, element.value, wrt);
    std::vector<Expr> row;
    for (std::size_t i = 0; i < wrt.size(); ++i) {
      row.push_back({&builder, found[i] ? *found[i] : zero_of(builder, wrt[i])});
    }
    rows.push_back(flattened(row));
  }
  return reshape(flattened(rows), {count, count}).value;
}

Graph resolve_gradients(const Graph& graph) {
  // Operands come before their users, so an inner derivative is a plain value when the outer one is taken.
  return compact(Rewriter(graph).run([](Builder& builder, const Node& node, const NodeInfo&) {
    if (node.op != &ops::gradient) return ValueId{};
    const ValueId wrt = node.operands[1];
    return gradients(builder, node.operands[0], {wrt}).front().value_or(zero_of(builder, wrt));
  }));
}

Graph differentiate(const Graph& graph) {
  Graph result = resolve_gradients(graph);
  const std::optional<ValueId> loss = result.find_output("loss");
  if (!loss) return result;
  Builder builder(result);
  const std::vector<StateValue> parameters = read_parameters(result);
  std::vector<ValueId> wrt;
  for (const StateValue& parameter : parameters) wrt.push_back(parameter.value);
  const Gradients found = gradients(builder, *loss, wrt);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (found[i])
      result.outputs.push_back({gradient_output(result.states[parameters[i].state].path), *found[i]});
  }
  return compact(result);
}

}  // namespace dlg
