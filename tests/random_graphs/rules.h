// Owns four small update rules, each as graph and as plain arithmetic.
#pragma once

#include <functional>

#include "ir/ops/interpret.h"
#include "tests/rule_source.h"

namespace dlg::test {

/// The gradients of all parameters when each stands at its point, by path.
using Tensors = std::unordered_map<std::string, Tensor<double>>;
using GradientAt = std::function<Tensors(const Tensors& points)>;

struct TestRule {
  RuleSource rule;
  /// The states' new values by path, from their values in the environment.
  Tensors (*expected)(const Environment<double>& before, const std::vector<std::string>& parameters,
                      const GradientAt& gradient);
};

/// sgd, momentum with the step in its rate, a look-ahead rule with two states, and a rule whose states change
/// places.
const std::vector<TestRule>& test_rules();

}  // namespace dlg::test
