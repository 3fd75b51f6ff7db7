#include "ir/graph/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "ir/graph/state_values.h"
#include "ir/graph/text_cursor.h"
#include "ir/ops/registry.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

using Broken = std::optional<BrokenLaw>;
using Reason = std::optional<std::string>;

/// All values of a graph together, each rounded up to a place: sums of some of them cannot wrap.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 62;
constexpr std::int64_t kPlaceBytes = 64;

std::string value_line(const Graph& graph, ValueId value) {
  return quoted_name(graph.infos[value].name) + " =";
}

std::string line_of(std::string_view word, std::string_view name) {
  return fmt::format("{} {}", word, quoted_name(name));
}

/// "`h` (sigmoid)", or "node 7 (sigmoid)" without a name.
std::string node_text(const Graph& graph, ValueId value) {
  const std::string& name = graph.infos[value].name;
  const std::string subject = name.empty() ? fmt::format("node {}", value.index) : fmt::format("`{}`", name);
  const OpDef* op = graph[value].op;
  return fmt::format("{} ({})", subject, op == nullptr ? "no op" : op->name);
}

bool is_value(const Graph& graph, ValueId value) {
  return value.is_valid() && value.index < graph.nodes.size();
}

Reason check_shape(const TensorType& type, std::int64_t batch) {
  std::int64_t elements = 1;
  std::size_t batches = 0;
  for (const std::int64_t dim : type.shape.dims()) {
    batches += dim == kBatch ? 1 : 0;
    if (dim < 1 && dim != kBatch) return fmt::format("has an axis of size {}", dim);
    const std::optional<std::int64_t> product = checked_mul(elements, dim == kBatch ? batch : dim);
    if (!product || *product > kMostElements) {
      return fmt::format("is {} and has more than 2^40 elements", type_text(type));
    }
    elements = *product;
  }
  if (batches > 1) return fmt::format("has more than one batch axis: {}", type_text(type));
  return std::nullopt;
}

/// Data alone has bytes, and they are cast before anything is computed.
Reason check_bytes(const Node& node, const std::vector<TensorType>& operands) {
  const auto is_byte = [](const TensorType& type) { return type.dtype == DType::kU8; };
  if (is_byte(node.type) && node.op != &ops::input) return "is u8, which only an input may be";
  if (node.op == &ops::cast || std::none_of(operands.begin(), operands.end(), is_byte)) return std::nullopt;
  return "computes with u8, which only a cast reads";
}

Reason check_node(const Graph& graph, ValueId value) {
  const Node& node = graph[value];
  if (node.op == nullptr) return "has no op";
  if (node.op->arity >= 0 && node.operands.size() != static_cast<std::size_t>(node.op->arity)) {
    return fmt::format("has {} operands, its op takes {}", node.operands.size(), node.op->arity);
  }
  if (const Reason reason = check_shape(node.type, graph.batch)) return reason;
  std::vector<TensorType> types;
  for (const ValueId operand : node.operands) {
    if (!operand.is_valid() || operand >= value) return "uses a value that does not stand before it";
    types.push_back(graph.type(operand));
  }
  const TypeResult result = node.op->type(TypeQuery{types, node.attributes, node.type});
  if (const std::string* reason = std::get_if<std::string>(&result)) return "is ill-typed: " + *reason;
  if (const Reason reason = check_bytes(node, types)) return reason;
  if (std::get<TensorType>(result) != node.type) {
    return fmt::format("says type {}, its op gives {}", type_text(node.type),
                       type_text(std::get<TensorType>(result)));
  }
  return std::nullopt;
}

Broken check_nodes(const Graph& graph) {
  if (graph.batch < 1) return BrokenLaw{fmt::format("the batch has {} rows", graph.batch), "batch"};
  if (graph.infos.size() != graph.nodes.size())
    return BrokenLaw{"nodes and their infos differ in number", ""};
  std::int64_t bytes = 0;
  for (const ValueId value : graph.nodes.ids()) {
    const auto broken = [&](const std::string& reason) {
      return BrokenLaw{fmt::format("{} {}", node_text(graph, value), reason), value_line(graph, value)};
    };
    if (const Reason reason = check_node(graph, value)) return broken(*reason);
    const TensorType& type = graph.type(value);
    const std::int64_t size = type.shape.elements(graph.batch) * dtype_bytes(type.dtype);
    bytes = add_sizes(bytes, rounded_up(size, kPlaceBytes));
    if (bytes > kMostBytes) return broken("and all before it have more than 2^62 bytes");
  }
  return std::nullopt;
}

/// The declared type of what a leaf reads by its path; nullopt: it reads nothing from outside.
struct Read {
  bool is_outside = false;
  std::optional<TensorType> declared;
};

Read declared_read(const Graph& graph, const Node& node) {
  const std::string* read = leaf_path(node);
  if (read == nullptr) return {};
  const std::string& path = *read;
  if (node.op == &ops::state) {
    const std::optional<StateId> state = graph.find_state(path);
    return {true, state ? std::optional(graph.states[*state].type) : std::nullopt};
  }
  if (node.op == &ops::input) {
    const Input* input = graph.find_input(path);
    return {true, input != nullptr ? std::optional(input->type) : std::nullopt};
  }
  if (node.op == &ops::hyper) {
    const bool is_known = graph.find_hyper(path) != nullptr;
    return {true, is_known ? std::optional(TensorType{DType::kF64, {}}) : std::nullopt};
  }
  return {};
}

Broken check_reads(const Graph& graph) {
  std::set<std::pair<const OpDef*, std::string>> seen;
  for (const ValueId value : graph.nodes.ids()) {
    const Node& node = graph[value];
    const Read read = declared_read(graph, node);
    if (!read.is_outside) continue;
    const std::string& path = *leaf_path(node);
    const auto broken = [&](const std::string& what) {
      return BrokenLaw{fmt::format("{} reads `{}`{}", node_text(graph, value), path, what),
                       value_line(graph, value)};
    };
    if (!read.declared) return broken(", which is not declared");
    if (*read.declared != node.type) {
      return broken(fmt::format(" as {}, declared as {}", type_text(node.type), type_text(*read.declared)));
    }
    if (!seen.emplace(node.op, path).second) return broken(" a second time");
  }
  return std::nullopt;
}

Broken check_states(const Graph& graph) {
  std::set<std::string> paths;
  std::int64_t bytes = 0;
  for (const State& state : graph.states) {
    const auto broken = [&](std::string sentence) {
      return BrokenLaw{std::move(sentence), line_of("state", state.path)};
    };
    if (!paths.insert(state.path).second)
      return broken(fmt::format("two states are called `{}`", state.path));
    if (const Reason reason = check_shape(state.type, 1))
      return broken(fmt::format("`{}` {}", state.path, *reason));
    if (state.type.dtype == DType::kU8) return broken(fmt::format("the state `{}` is u8", state.path));
    if (state.type.shape.has_batch())
      return broken(fmt::format("the state `{}` varies per sample", state.path));
    bytes = add_sizes(bytes,
                      rounded_up(state.type.shape.elements() * dtype_bytes(state.type.dtype), kPlaceBytes));
    if (bytes > kMostBytes) return broken("the states have more than 2^62 bytes");
    const bool is_literal = state.initial.kind == Initializer::Kind::kLiteral;
    const auto count = static_cast<std::int64_t>(state.initial.literal.size());
    if (is_literal && count != state.type.shape.elements()) {
      return broken(
          fmt::format("`{}` of type {} starts with {} numbers", state.path, type_text(state.type), count));
    }
    if (state.initial.kind == Initializer::Kind::kOrthogonal && state.type.shape.rank() < 2)
      return broken(
          fmt::format("`{}` of type {} starts as an orthogonal matrix", state.path, type_text(state.type)));
    const bool is_counter = state.type == TensorType{DType::kF64, {}};
    if (state.kind == StateKind::kStep && !is_counter) return broken("the step counter is not an f64[]");
  }
  return std::nullopt;
}

Reason check_stored(const Input& input) {
  if (!input.stored) return std::nullopt;
  const StoredAs& stored = *input.stored;
  if (stored.type != DType::kU8 || !is_float(input.type.dtype))
    return "is stored as other than u8, or no float";
  if (!input.literal.empty()) return "is stored elsewhere, but has its numbers here";
  const bool is_good = std::isfinite(stored.subtract) && std::isfinite(stored.divide) &&
                       std::isfinite(stored.multiply) && stored.divide != 0;
  if (!is_good) return "is stored scaled by what is not finite or by 1 / 0";
  return std::nullopt;
}

Reason check_limits(const Input& input) {
  const auto count = static_cast<std::int64_t>(input.below.size());
  if (count > 0 && !is_integer(input.type.dtype)) return "has limits but no whole numbers";
  if (count > 1 && count != input.type.shape.elements(1)) return "has another number of limits than elements";
  const bool is_negative = std::any_of(input.below.begin(), input.below.end(), [](auto n) { return n < 0; });
  if (is_negative) return "has a limit below 0";
  return std::nullopt;
}

Broken check_inputs(const Graph& graph) {
  std::set<std::string> paths;
  for (const Input& input : graph.inputs) {
    const auto broken = [&](std::string sentence) {
      return BrokenLaw{std::move(sentence), line_of("input", input.path)};
    };
    if (!paths.insert(input.path).second)
      return broken(fmt::format("two inputs are called `{}`", input.path));
    if (const Reason reason = check_shape(input.type, graph.batch))
      return broken(fmt::format("`{}` {}", input.path, *reason));
    if (input.type.shape.batch_axis() != std::optional<std::size_t>(0)) {
      return broken(fmt::format("the input `{}` of type {} has no leading batch axis", input.path,
                                type_text(input.type)));
    }
    if (const Reason reason = check_stored(input))
      return broken(fmt::format("the input `{}` {}", input.path, *reason));
    if (const Reason reason = check_limits(input))
      return broken(fmt::format("the input `{}` {}", input.path, *reason));
    const auto count = static_cast<std::int64_t>(input.literal.size());
    if (count % input.type.shape.elements(1) != 0) {
      return broken(fmt::format("`{}` of type {} has {} numbers, which is no number of rows", input.path,
                                type_text(input.type), count));
    }
  }
  std::set<std::string> hypers;
  for (const Hyper& hyper : graph.hypers) {
    if (hypers.insert(hyper.name).second) continue;
    return BrokenLaw{fmt::format("two hypers are called `{}`", hyper.name), line_of("hyper", hyper.name)};
  }
  return std::nullopt;
}

Broken check_sinks(const Graph& graph) {
  std::set<std::string> names;
  for (const Output& output : graph.outputs) {
    const auto broken = [&](std::string sentence) {
      return BrokenLaw{std::move(sentence), line_of("output", output.name)};
    };
    if (!is_value(graph, output.value))
      return broken(fmt::format("the output `{}` has no value", output.name));
    if (!names.insert(output.name).second)
      return broken(fmt::format("two outputs are called `{}`", output.name));
    if (graph.type(output.value).dtype == DType::kU8)
      return broken(fmt::format("the output `{}` is u8", output.name));
  }
  std::int64_t bytes = 0;
  for (const Output& output : graph.outputs) {
    const TensorType& type = graph.type(output.value);
    bytes =
        add_sizes(bytes, rounded_up(type.shape.elements(graph.batch) * dtype_bytes(type.dtype), kPlaceBytes));
    if (bytes <= kMostBytes) continue;
    return BrokenLaw{"the outputs have more than 2^62 bytes", line_of("output", output.name)};
  }
  for (const Effect& effect : graph.effects) {
    const bool has_state = effect.state.is_valid() && effect.state.index < graph.states.size();
    if (!has_state || !is_value(graph, effect.value))
      return BrokenLaw{"an effect without a state or a value", ""};
  }
  return std::nullopt;
}

/// What is differentiated and looked at by the stop test.
Broken check_loss(const Graph& graph) {
  const std::optional<ValueId> loss = graph.find_output("loss");
  if (!loss) return std::nullopt;
  const TensorType& type = graph.type(*loss);
  if (is_float(type.dtype) && (type.shape.rank() == 0 || type.shape == Shape{kBatch})) return std::nullopt;
  return BrokenLaw{fmt::format("the loss is {}, no floating-point scalar", type_text(type)), "output loss"};
}

/// The first effect of an update: on anything but the state of a model.
const State* find_updated(const Graph& graph) {
  for (const Effect& effect : graph.effects) {
    if (graph.states[effect.state].kind != StateKind::kModel) return &graph.states[effect.state];
  }
  return nullptr;
}

Broken check_no_update(const Graph& graph) {
  const State* updated = find_updated(graph);
  if (updated == nullptr) return std::nullopt;
  return BrokenLaw{fmt::format("`{}` is written before `update`", updated->path),
                   line_of("effect", updated->path)};
}

Broken check_no_gradient(const Graph& graph) {
  for (const ValueId value : graph.nodes.ids()) {
    if (graph[value].op != &ops::gradient) continue;
    return BrokenLaw{fmt::format("{} is still there", node_text(graph, value)), value_line(graph, value)};
  }
  return std::nullopt;
}

bool depends_on(const Graph& graph, ValueId root, ValueId value) {
  std::vector<char> depends(graph.nodes.size(), 0);
  depends[value.index] = 1;
  for (std::uint32_t i = value.index; i <= root.index; ++i) {
    for (const ValueId operand : graph[ValueId{i}].operands) depends[i] |= depends[operand.index];
  }
  return depends[root.index] != 0;
}

Broken check_parameter_gradients(const Graph& graph) {
  const std::optional<ValueId> loss = graph.find_output("loss");
  const bool is_trained = std::any_of(graph.outputs.begin(), graph.outputs.end(),
                                      [](const Output& output) { return is_gradient_output(output.name); });
  if (!loss || !is_trained) return std::nullopt;
  for (const StateValue& parameter : read_parameters(graph)) {
    const State& state = graph.states[parameter.state];
    const std::optional<ValueId> gradient = graph.find_output(gradient_output(state.path));
    if (!gradient && depends_on(graph, *loss, parameter.value)) {
      return BrokenLaw{
          fmt::format("the trained parameter `{}` has a path to the loss and no gradient", state.path),
          line_of("state", state.path)};
    }
    if (gradient && graph.type(*gradient) != state.type) {
      return BrokenLaw{fmt::format("the gradient of `{}` has type {}, the parameter {}", state.path,
                                   type_text(graph.type(*gradient)), type_text(state.type)),
                       line_of("output", gradient_output(state.path))};
    }
  }
  return std::nullopt;
}

Broken check_effects(const Graph& graph) {
  std::set<StateId> written;
  for (const Effect& effect : graph.effects) {
    const State& state = graph.states[effect.state];
    const auto broken = [&](std::string sentence) {
      return BrokenLaw{std::move(sentence), line_of("effect", state.path)};
    };
    if (!written.insert(effect.state).second) return broken(fmt::format("`{}` is written twice", state.path));
    if (state.kind == StateKind::kConstant)
      return broken(fmt::format("the constant `{}` is written", state.path));
    if (graph.type(effect.value) != state.type) {
      return broken(fmt::format("`{}` of type {} gets a value of type {}", state.path, type_text(state.type),
                                type_text(graph.type(effect.value))));
    }
  }
  if (find_updated(graph) == nullptr) return std::nullopt;
  for (const StateId id : graph.states.ids()) {
    const bool must_be = graph.states[id].kind == StateKind::kParameter;
    if (must_be && !written.contains(id)) {
      return BrokenLaw{fmt::format("the trained parameter `{}` is not written", graph.states[id].path),
                       line_of("state", graph.states[id].path)};
    }
  }
  return std::nullopt;
}

Broken check_simplified(const Graph& graph) {
  const IdVector<ValueId, char> live = live_values(graph);
  for (const ValueId value : graph.nodes.ids()) {
    const auto broken = [&](std::string_view what) {
      return BrokenLaw{fmt::format("{} {}", node_text(graph, value), what), value_line(graph, value)};
    };
    if (is<Composite>(*graph[value].op)) return broken("is not expanded");
    if (!live[value]) return broken("is needed by nothing");
  }
  return std::nullopt;
}

Broken check_no_groups(const Graph& graph) {
  if (graph.groups.empty()) return std::nullopt;
  return BrokenLaw{"there are kernels before `fuse`", line_of("kernel", graph.groups[GroupId{0}].name)};
}

/// The group of each node; an error if a node is in two groups or a computed node in none.
Broken assign_groups(const Graph& graph, IdVector<ValueId, GroupId>& group_of) {
  for (const GroupId group : graph.groups.ids()) {
    const std::string& name = graph.groups[group].name;
    const auto broken = [&](std::string sentence) {
      return BrokenLaw{std::move(sentence), line_of("kernel", name)};
    };
    if (graph.groups[group].nodes.empty()) return broken(fmt::format("the kernel `{}` is empty", name));
    for (const ValueId value : graph.groups[group].nodes) {
      if (!is_value(graph, value)) return broken(fmt::format("the kernel `{}` holds no such node", name));
      if (group_of[value].is_valid())
        return broken(fmt::format("{} is in two kernels", node_text(graph, value)));
      group_of[value] = group;
    }
  }
  for (const ValueId value : graph.nodes.ids()) {
    const auto broken = [&](std::string sentence) {
      return BrokenLaw{std::move(sentence), value_line(graph, value)};
    };
    const bool is_leaf = is<Leaf>(*graph[value].op);
    if (is_leaf && group_of[value].is_valid())
      return broken(fmt::format("the leaf {} is in a kernel", node_text(graph, value)));
    if (!is_leaf && !group_of[value].is_valid())
      return broken(fmt::format("{} is in no kernel", node_text(graph, value)));
  }
  return std::nullopt;
}

/// The first operand of `value` that no kernel up to here has computed.
std::optional<ValueId> missing_operand(const Graph& graph, ValueId value,
                                       const IdVector<ValueId, char>& is_done) {
  for (const ValueId operand : graph[value].operands) {
    if (!is<Leaf>(*graph[operand].op) && !is_done[operand]) return operand;
  }
  return std::nullopt;
}

Broken check_groups(const Graph& graph) {
  IdVector<ValueId, GroupId> group_of(graph.nodes.size());
  if (const Broken broken = assign_groups(graph, group_of)) return broken;
  IdVector<ValueId, char> is_done(graph.nodes.size(), 0);
  for (const Group& group : graph.groups) {
    for (const ValueId value : group.nodes) {
      if (const std::optional<ValueId> operand = missing_operand(graph, value, is_done)) {
        return BrokenLaw{fmt::format("{} in kernel `{}` comes before its operand {}", node_text(graph, value),
                                     group.name, node_text(graph, *operand)),
                         value_line(graph, value)};
      }
      is_done[value] = 1;
    }
  }
  return std::nullopt;
}

/// One invariant and the stages at which it holds.
struct Invariant {
  Stage first;
  Stage last;
  Broken (*check)(const Graph&);
};

/// In this order: each check may rely on those above it.
constexpr Invariant kInvariants[] = {
    {Stage::kGraph, Stage::kFused, check_nodes},
    {Stage::kGraph, Stage::kFused, check_states},
    {Stage::kGraph, Stage::kFused, check_inputs},
    {Stage::kGraph, Stage::kFused, check_reads},
    {Stage::kGraph, Stage::kFused, check_sinks},
    {Stage::kGraph, Stage::kFused, check_loss},
    {Stage::kGraph, Stage::kDifferentiated, check_no_update},
    {Stage::kDifferentiated, Stage::kFused, check_no_gradient},
    {Stage::kDifferentiated, Stage::kDifferentiated, check_parameter_gradients},
    {Stage::kGraph, Stage::kFused, check_effects},
    {Stage::kSimplified, Stage::kFused, check_simplified},
    {Stage::kGraph, Stage::kSimplified, check_no_groups},
    {Stage::kFused, Stage::kFused, check_groups},
};

}  // namespace

std::optional<BrokenLaw> find_broken_law(const Graph& graph, Stage stage) {
  for (const Invariant& invariant : kInvariants) {
    if (stage < invariant.first || stage > invariant.last) continue;
    if (Broken broken = invariant.check(graph)) return broken;
  }
  return std::nullopt;
}

std::optional<std::string> verify(const Graph& graph, Stage stage) {
  std::optional<BrokenLaw> broken = find_broken_law(graph, stage);
  if (!broken) return std::nullopt;
  return std::move(broken->sentence);
}

Stage least_stage(const Graph& graph) {
  if (!graph.groups.empty()) return Stage::kFused;
  return find_updated(graph) == nullptr ? Stage::kGraph : Stage::kUpdated;
}

std::optional<std::string> verify_kept(const Graph& before, const Graph& after) {
  const bool gets_fault = after.find_output(kFaultOutput) && !before.find_output(kFaultOutput);
  if (before.outputs.size() + (gets_fault ? 1 : 0) != after.outputs.size())
    return "the number of outputs changed";
  for (std::size_t i = 0; i < before.outputs.size(); ++i) {
    const Output& a = before.outputs[i];
    const Output& b = after.outputs[i];
    const bool is_same = a.name == b.name && before.type(a.value) == after.type(b.value);
    if (!is_same) return fmt::format("the output `{}` became another", a.name);
  }
  if (before.effects.size() != after.effects.size()) return "an effect was lost or added";
  for (std::size_t i = 0; i < before.effects.size(); ++i) {
    const std::string& path = before.states[before.effects[i].state].path;
    const bool is_same = path == after.states[after.effects[i].state].path;
    if (!is_same) return fmt::format("the effect on `{}` became another", path);
  }
  return std::nullopt;
}

}  // namespace dlg
