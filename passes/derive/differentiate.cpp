#include "passes/derive/differentiate.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "ir/graph/rewriter.h"
#include "ir/graph/state_values.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "passes/derive/gate_report.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

/// What the reverse walk does at a value it differentiates with respect to: the derivative is total (go on
/// through the value) or partial (the value counts as a variable of its own).
enum class Derivative { kTotal, kPartial };

/// What a reverse walk knows of one value that the root is computed from.
struct Cotangent {
  bool is_variable = false;
  bool depends = false;  // on some variable
  Seed seed;             // invalid: zero so far
};

/// By value. What the root is not computed from has none: there is no path.
using Cotangents = std::unordered_map<ValueId, Cotangent>;

/// Finds what the walk from the root meets, in ascending order: a derivative that is partial ends at the
/// variables. It takes as long as that is large, not as the graph is.
std::vector<ValueId> find_region(const Graph& graph, ValueId root, Derivative derivative,
                                 Cotangents& cotangents) {
  std::vector<ValueId> region;
  std::vector<ValueId> open{root};
  std::unordered_set<ValueId> seen{root};
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    region.push_back(value);
    const auto found = cotangents.find(value);
    if (derivative == Derivative::kPartial && found != cotangents.end()) continue;
    for (const ValueId operand : graph[value].operands) {
      if (seen.insert(operand).second) open.push_back(operand);
    }
  }
  std::sort(region.begin(), region.end());
  return region;
}

/// Cotangents of the whole region, without a contribution yet.
Cotangents open_cotangents(const Graph& graph, const std::vector<ValueId>& region,
                           const Cotangents& variables) {
  Cotangents cotangents;
  for (const ValueId value : region) {
    Cotangent& cotangent = cotangents[value];
    cotangent.is_variable = cotangent.depends = variables.contains(value);
    for (const ValueId operand : graph[value].operands) {
      const auto found = cotangents.find(operand);
      cotangent.depends |= found != cotangents.end() && found->second.depends;
    }
  }
  return cotangents;
}

/// `d` + name; a value that is read from outside by its path goes by the path's last part: `dW2` for
/// `net.W2`.
std::string adjoint_name(const Node& node, const NodeInfo& info) {
  if (const std::string* path = leaf_path(node)) return "d" + std::string(last_path_part(*path));
  return info.name.empty() ? "" : "d" + info.name;
}

using Gradients = std::vector<std::optional<ValueId>>;

Gradients pull_back(Builder& builder, ValueId root, ValueId seed, const std::vector<ValueId>& wrt,
                    Derivative derivative);

/// A contribution that was selected, or comes from a gated seed through a Map, may keep a cotangent gated.
enum class Contribution { kPlain, kSelected };

void contribute(Builder& builder, Cotangents& cotangents, ValueId operand, Expr gradient,
                Contribution contribution) {
  const auto found = cotangents.find(operand);
  if (found == cotangents.end() || !found->second.depends) return;
  DLG_CHECK(gradient.type() == builder.type(operand),
            fmt::format("a gradient of type {} for a value of type {}", type_text(gradient.type()),
                        type_text(builder.type(operand))));
  Seed& sum = found->second.seed;
  if (sum.value.is_valid() && has_defect(Defect::kDroppedContribution)) return;
  sum.is_gated = contribution == Contribution::kSelected && (sum.is_gated || !sum.value.is_valid());
  sum.value = sum.value.is_valid() ? (Expr{&builder, sum.value} + gradient).value : gradient.value;
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
    if (parts[i]) contribute(builder, cotangents, operands[i], {&builder, *parts[i]}, Contribution::kPlain);
  }
}

/// One step of the walk: the rule of the node's op turns the seed into contributions to the operands.
void pull_back_node(Builder& builder, Cotangents& cotangents, ValueId value) {
  const Seed seed = cotangents.at(value).seed;
  const OpDef& op = *builder.graph()[value].op;
  if (op.vjp == kByExpansion) return pull_back_expansion(builder, cotangents, value, seed.value);
  // A gated product of a first derivative says nothing where its seed is 0: what it hands on is gated, too.
  const bool is_selected =
      op.selects_seed || is_gated_product(builder.graph(), value) || (seed.is_gated && is<Map>(op));
  const Contribution contribution = is_selected ? Contribution::kSelected : Contribution::kPlain;
  VjpScope scope(builder, value, seed, [&](std::size_t i, Expr gradient) {
    contribute(builder, cotangents, builder.graph()[value].operands[i], gradient, contribution);
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
  Cotangents variables;
  for (const ValueId value : wrt) variables[value].is_variable = true;
  const std::vector<ValueId> region = find_region(graph, root, derivative, variables);
  Cotangents cotangents = open_cotangents(graph, region, variables);
  cotangents[root].seed.value = seed;
  for (std::size_t i = region.size(); i-- > 0;) {
    const ValueId value = region[i];
    const Cotangent cotangent = cotangents.at(value);
    const ValueId own = cotangent.seed.value;
    if (!cotangent.depends || !own.is_valid()) continue;
    const NodeInfo info = graph.infos[value];
    const CheckContext context(fmt::format("differentiating {} {}", graph[value].op->name, info.name));
    builder.current_origin = info.origins.empty() ? SourceRange{} : info.origins.front();
    // A leaf, the constant 1 of the seed above all, serves many places and keeps its own name.
    if (!graph[own].operands.empty()) {
      builder.set_name(own, adjoint_name(graph[value], info));
    }
    builder.add_origin(own, builder.current_origin);
    const bool is_end = cotangent.is_variable && derivative == Derivative::kPartial;
    if (!is_end) pull_back_node(builder, cotangents, value);
  }
  Gradients result;
  for (const ValueId value : wrt) {
    const auto found = cotangents.find(value);
    if (found == cotangents.end()) {
      result.emplace_back();
      continue;
    }
    const ValueId sum = found->second.seed.value;
    result.emplace_back(sum.is_valid() ? sum : zero_of(builder, value));
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

namespace {

/// The derivatives that `gradient` nodes of one graph ask for. All of one root are found in one walk: their
/// cotangents are the same nodes as those of a walk of their own.
class AskedDerivatives {
 public:
  explicit AskedDerivatives(const Graph& graph, std::size_t limit = kNoLimit)
      : rewriter_(graph), limit_(limit) {
    for (const Node& node : graph.nodes) {
      if (node.op == &ops::gradient) asked_[node.operands[0]].push_back(node.operands[1]);
    }
  }

  Graph resolve() {
    // Operands come before their users, so an inner derivative is a plain value when the outer one is taken.
    return compact(rewriter_.run([this](Builder& builder, const Node& node, const NodeInfo&) {
      return node.op == &ops::gradient ? find(builder, node.operands[0], node.operands[1]) : ValueId{};
    }));
  }

  /// The place of the first derivative with which the graph has more nodes than the limit. Those behind it
  /// are not found any more.
  std::optional<SourceRange> too_large() const { return too_large_; }

 private:
  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  ValueId find(Builder& builder, ValueId root, ValueId wrt) {
    if (too_large_) return zero_of(builder, wrt);
    std::unordered_map<ValueId, ValueId>& known = found_[root];
    if (!known.contains(wrt)) {
      const std::vector<ValueId> all = asked_with(root, wrt);
      const Gradients found = gradients(builder, root, all);
      for (std::size_t i = 0; i < all.size(); ++i) {
        known[all[i]] = found[i] ? *found[i] : zero_of(builder, all[i]);
      }
    }
    if (builder.graph().nodes.size() > limit_) too_large_ = builder.current_origin;
    return known.at(wrt);
  }

  /// `wrt` and what else of the target the root is derived by, as far as it is there.
  std::vector<ValueId> asked_with(ValueId root, ValueId wrt) const {
    std::vector<ValueId> all{wrt};
    for (const auto& [source, others] : asked_) {
      if (rewriter_.target_of(source) != root) continue;
      for (const ValueId other : others) {
        const ValueId target = rewriter_.target_of(other);
        if (target.is_valid() && target != wrt) all.push_back(target);
      }
    }
    return all;
  }

  Rewriter rewriter_;
  std::size_t limit_;
  std::optional<SourceRange> too_large_;
  std::map<ValueId, std::vector<ValueId>> asked_;                            // of the source: by root
  std::unordered_map<ValueId, std::unordered_map<ValueId, ValueId>> found_;  // of the target
};

}  // namespace

Graph resolve_gradients(const Graph& graph) {
  return AskedDerivatives(graph).resolve();
}

std::size_t derived_limit(const Graph& graph) {
  constexpr std::size_t kMostOperations = 10'000;
  constexpr std::size_t kPerOperation = 8;
  return kMostOperations + kPerOperation * graph.nodes.size();
}

std::optional<SourceRange> find_large_derivative(const Graph& graph) {
  const bool has_any = std::any_of(graph.nodes.begin(), graph.nodes.end(),
                                   [](const Node& node) { return node.op == &ops::gradient; });
  if (!has_any) return std::nullopt;
  AskedDerivatives asked(graph, derived_limit(graph));
  asked.resolve();
  return asked.too_large();
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
