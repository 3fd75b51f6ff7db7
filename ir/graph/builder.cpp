#include "ir/graph/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "support/check.h"
#include "support/defects.h"
#include "support/hash.h"

namespace dlg {
namespace {

/// Whether what a node says tells it from others.
bool counts_attributes(const Node& node) {
  return node.operands.empty() || !has_defect(Defect::kMergedAttributes);
}

bool same_node(const Node& a, const Node& b) {
  return a.op == b.op && a.operands == b.operands && a.type == b.type &&
         (!counts_attributes(a) || a.attributes == b.attributes);
}

}  // namespace

Builder::Builder(Graph& graph) : graph_(graph) {
  for (const ValueId value : graph.nodes.ids()) known_.emplace(hash(graph[value]), value);
}

std::size_t Builder::hash(const Node& node) const {
  std::size_t seed = std::hash<const void*>{}(node.op);
  for (const ValueId operand : node.operands) mix_hash(seed, operand.index);
  mix_hash(seed, static_cast<std::size_t>(node.type.dtype));
  for (const std::int64_t dim : node.type.shape.dims()) mix_hash(seed, static_cast<std::size_t>(dim));
  if (counts_attributes(node)) mix_hash(seed, hash_of(node.attributes));
  return seed;
}

TypeResult Builder::infer(const OpDef& op, std::span<const ValueId> operands, const Attributes& attributes,
                          const TensorType& declared) const {
  if (op.arity >= 0 && operands.size() != static_cast<std::size_t>(op.arity)) {
    return fmt::format("{} takes {} operands, not {}", op.name, op.arity, operands.size());
  }
  DLG_CHECK(attributes.index() == op.attributes().index(),
            fmt::format("attributes of another kind for {}", op.name));
  std::vector<TensorType> types;
  for (const ValueId operand : operands) types.push_back(graph_.type(operand));
  return op.type(TypeQuery{types, attributes, declared});
}

ValueId Builder::add(const OpDef& op, std::vector<ValueId> operands, Attributes attributes,
                     const TensorType& declared) {
  TypeResult result = infer(op, operands, attributes, declared);
  const std::string* error = std::get_if<std::string>(&result);
  DLG_CHECK(error == nullptr, fmt::format("building {}: {}", op.name, error ? *error : ""));
  Node node{&op, std::get<TensorType>(std::move(result)), std::move(operands), std::move(attributes)};
  const std::size_t key = hash(node);
  const auto [first, last] = known_.equal_range(key);
  for (auto it = first; it != last; ++it) {
    if (!same_node(graph_[it->second], node)) continue;
    add_origin(it->second, current_origin);
    return it->second;
  }
  const ValueId value = graph_.nodes.add(std::move(node));
  graph_.infos.add({});
  known_.emplace(key, value);
  add_origin(value, current_origin);
  return value;
}

void Builder::set_name(ValueId value, const std::string& name) {
  NodeInfo& info = graph_.infos[value];
  if (name.empty() || info.name == name) return;
  if (info.name.empty()) {
    info.name = name;
  } else if (std::find(info.aliases.begin(), info.aliases.end(), name) == info.aliases.end()) {
    info.aliases.push_back(name);
  }
}

void Builder::add_origin(ValueId value, SourceRange origin) {
  std::vector<SourceRange>& origins = graph_.infos[value].origins;
  if (!origin.is_valid() || std::find(origins.begin(), origins.end(), origin) != origins.end()) return;
  origins.push_back(origin);
}

void Builder::add_law(ValueId value, std::string_view law) {
  std::vector<std::string>& laws = graph_.infos[value].laws;
  if (std::find(laws.begin(), laws.end(), law) == laws.end()) laws.emplace_back(law);
}

void Builder::copy_info(ValueId value, const NodeInfo& info) {
  set_name(value, info.name);
  for (const std::string& alias : info.aliases) set_name(value, alias);
  // Those of one node differ from each other: each is compared with what was there before only.
  std::vector<SourceRange>& origins = graph_.infos[value].origins;
  const auto known = static_cast<std::ptrdiff_t>(origins.size());
  for (const SourceRange origin : info.origins) {
    const auto end = origins.begin() + known;
    if (origin.is_valid() && std::find(origins.begin(), end, origin) == end) origins.push_back(origin);
  }
  for (const std::string& law : info.laws) add_law(value, law);
}

}  // namespace dlg
