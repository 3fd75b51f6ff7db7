// Owns the arguments of update rules: numbers, and expressions of the moment such as `cosine(1e-3, warmup = 2
// epochs)`, which are evaluated in f64 once a step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "frontend/elaborate/elaboration.h"

namespace dlg {

/// One argument of a rule, or of a setting around it, as text.
struct ArgumentText {
  std::string name;      // of its run-time input: `optimizer.lr`
  std::size_t unit = 0;  // where the text stands
  ast::ExprId expr;
  double value = 0;           // in step 1, as far as it is known at compile time
  bool is_scheduled = false;  // another one in another step
  bool is_default = false;    // stands in the rule itself and may read arguments before it
};

/// Whether `stop` has a limit in steps or epochs, so that a schedule may go to the last step.
enum class LastStep : std::uint8_t { kUnknown, kKnown };

/// One update of a training, as far as an argument may know it.
struct Moment {
  double step = 1;
  double epoch_steps = 1;
  std::optional<double> last_step = std::nullopt;  // nullopt: `stop` has no limit in steps or epochs
};

/// What an argument is at one moment.
struct ArgumentValue {
  double value = 0;
  bool is_scheduled = false;    // the moment was read
  std::vector<double> numbers;  // that stand in its own text, `30` of `30 epochs` among them
};

/// What is evaluated `frames` calls deep knows this moment, and its numbers stand for themselves.
RateSchedule rate_schedule_at(const Moment& moment, std::size_t frames);

/// Evaluates an argument that stands in the open frame; `what` says in an error what it is for. Plateaus
/// count as not reached.
std::optional<ArgumentValue> argument_at(Elaboration& e, const std::string& what, ast::ExprId expr,
                                         const Moment& moment);

/// Evaluates an argument that stands in the open frame with the numbers of step 1. Errors: no number.
std::optional<ArgumentText> argument_text(Elaboration& e, const std::string& name, ast::ExprId expr,
                                          LastStep last_step);

/// What a leaf of a scheduled argument's own text means: a number is a run-time input, `2 epochs` their
/// steps, a list applies item by item.
Value scheduled_leaf(Elaboration& e, const ast::Expr& expr, Value value);

}  // namespace dlg
