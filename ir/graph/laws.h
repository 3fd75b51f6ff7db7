// Owns rewrite laws: pairs of small graphs, written with the same operators as models, and their matching.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "ir/graph/scopes.h"

namespace dlg {

/// The attributes of the right side's root from those of the matched root and of its first operand; nullopt:
/// the law does not hold here.
using MergeAttributes = std::optional<Attributes> (*)(const Attributes& outer, const Attributes& inner);

/// One law: wherever `left` matches, `right` may stand. Exact in floating point (NaN, infinities and -0
/// included), and the right side is never dearer.
struct Law {
  std::string name;  // "mul.one"
  Graph pattern;     // its outputs `left` and `right`; pattern variables are inputs named x, y, z
  std::vector<ValueId> variables;
  /// Null: attributes must be those of the pattern. Else any attributes match and these come out.
  MergeAttributes merge = nullptr;
};

/// Collects laws. A pattern variable matches any value of any type; the types it is written with only make
/// the pattern a graph that can be computed. A constant of the pattern matches a constant of the same bits in
/// every element.
class Laws {
 public:
  using Sides = std::pair<Expr, Expr>;

  /// Writes one law: `write` receives the variables and answers left and right side.
  void law(std::string name, const std::vector<TensorType>& variables,
           const std::function<Sides(const std::vector<Expr>&)>& write, MergeAttributes merge = nullptr);

  const std::vector<Law>& all() const { return laws_; }

 private:
  std::vector<Law> laws_;
};

/// If `law` matches the node `mapped` (operands already in the builder's graph), builds and answers its right
/// side, which has the node's type; else an invalid id.
ValueId apply_law(const Law& law, Builder& builder, const Node& mapped);

}  // namespace dlg
