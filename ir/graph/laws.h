// Owns rewrite laws: pairs of small graphs, written with the same operators as models, and their matching.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/graph/scopes.h"

namespace dlg {

/// One law: wherever `left` matches, `right` may stand. Exact in floating point (NaN, infinities and -0
/// included), and the right side is never dearer.
struct Law {
  std::string name;  // "mul.one"
  Graph pattern;     // its single output `left` and `right`; pattern variables are inputs named x, y, z
  std::vector<ValueId> variables;
};

/// Collects laws. `any(i)` is the i-th pattern variable, which matches any value of any type.
class Laws {
 public:
  /// Writes one law: `write` receives a builder of the pattern and variables, and answers left and right
  /// side.
  void law(std::string name, int variables,
           const std::function<std::pair<Expr, Expr>(const std::vector<Expr>&)>& write);

  const std::vector<Law>& all() const { return laws_; }

 private:
  std::vector<Law> laws_;
};

/// If `law` matches the node `mapped` (operands already in the builder's graph), builds and answers its right
/// side.
ValueId apply_law(const Law& law, Builder& builder, const Node& mapped);

}  // namespace dlg
