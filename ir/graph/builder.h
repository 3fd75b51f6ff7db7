// Owns the only way to make nodes: a builder that types, hash-conses and remembers where each node comes
// from.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "ir/graph/graph.h"

namespace dlg {

/// Appends to one graph. Asking twice for the same op, operands, attributes and type gives the same value,
/// whose node then keeps the origins of both.
class Builder {
 public:
  explicit Builder(Graph& graph);

  Graph& graph() { return graph_; }
  const TensorType& type(ValueId value) const { return graph_.type(value); }

  /// The node's type follows from its op's rule; `declared` is for ops that declare their type. A type error
  /// is our bug here: whoever takes types from outside (frontend, text reader) asks `infer` first.
  ValueId add(const OpDef& op, std::vector<ValueId> operands, Attributes attributes = {},
              const TensorType& declared = {});

  /// The type `add` would give, or the reason why it would fail.
  TypeResult infer(const OpDef& op, std::span<const ValueId> operands, const Attributes& attributes,
                   const TensorType& declared = {}) const;

  /// Names `value` unless it has a name; else the name becomes an alias.
  void set_name(ValueId value, const std::string& name);
  void add_origin(ValueId value, SourceRange origin);
  void add_law(ValueId value, std::string_view law);
  /// Takes over name, origins and laws of a node of another graph.
  void copy_info(ValueId value, const NodeInfo& info);

  /// While set, every node that is made or found again gets this origin.
  SourceRange current_origin;

 private:
  std::size_t hash(const Node& node) const;

  Graph& graph_;
  std::unordered_multimap<std::size_t, ValueId> known_;
};

}  // namespace dlg
