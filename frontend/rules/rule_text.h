// Owns what a training says of its updates: the rule, its arguments and the settings around it, checked but
// still text.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frontend/elaborate/rule_arguments.h"

namespace dlg {

/// `group(mlp.dense[0], lr = 1e-4)`: parameters with arguments of their own.
struct RuleGroup {
  std::vector<std::string> paths;
  std::vector<std::pair<std::string, ArgumentText>> arguments;  // by the rule's formal, or `weight_decay`
};

enum class WeightDecay {
  kNone,
  kCoupled,    // rate times the weight joins the gradient
  kDecoupled,  // lr times rate times the weight is taken off beside the rule
};

/// One optimizer of the library, as called at `call`, with everything around it.
struct RuleText {
  std::size_t unit = 0;
  std::size_t index = 0;
  SourceRange call;
  std::vector<ArgumentText> arguments = {};  // by formal
  std::vector<RuleGroup> groups = {};        // where several name a parameter, the last one counts
  std::vector<std::string> frozen = {};      // paths
  ast::ExprId clip = {};  // `global_norm(1.0)`: a function that the gradients go through first
  WeightDecay decay = WeightDecay::kNone;
  ArgumentText decay_rate = {};
  std::optional<ArgumentText> average = {};     // the share that the average of the weights keeps
  std::optional<ArgumentText> accumulate = {};  // micro-batches of an update
  LastStep last_step = LastStep::kUnknown;
  bool is_gradient_watched = false;  // `stop` looks at the norm of the gradient
  Measurable measurable = {};
};

}  // namespace dlg
