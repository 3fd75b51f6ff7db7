// Owns the update rules in plain C++ and f64, written from their papers and from the sources of the
// frameworks, not from the text of std.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

namespace dlg::testing {

/// Two parameters: W of two numbers, then b.
using Theta = std::array<double, 3>;

/// What a rule remembers.
struct RuleState {
  Theta theta{};
  Theta first{};
  Theta second{};
  Theta third{};
  double product = 1;
};

using Gradient = std::function<Theta(const Theta&)>;
/// One update; steps count from 1.
using Update = std::function<void(RuleState&, const Gradient&, int step, double lr)>;

struct RuleReference {
  std::string name;       // of the rule
  std::string arguments;  // behind `lr`: ", like = torch"
  double lr = 0;          // at which the test's problem is solved without chaos
  Update update;
};

const std::vector<RuleReference>& rule_references();

}  // namespace dlg::testing
