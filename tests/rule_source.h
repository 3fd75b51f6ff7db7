// Owns update rules that tests write in C++.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ir/graph/update_rule.h"

namespace dlg::test {

struct RuleSource {
  std::string name;
  std::vector<Hyper> hypers;
  std::function<void(RuleBuilder&)> write;
};

/// Over the parameters of `graph`.
inline UpdateRule elaborated(const RuleSource& source, const Graph& graph) {
  RuleBuilder builder(graph, {});
  source.write(builder);
  UpdateRule rule;
  rule.name = source.name;
  rule.hypers = source.hypers;
  rule.graph = builder.rule();
  return rule;
}

}  // namespace dlg::test
