#include "frontend/blocks/check_block.h"

#include <fmt/format.h>

#include <cmath>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/settings.h"
#include "frontend/elaborate/tensors.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotScalar{DiagCode::ScalarExpected, Severity::kError,
                                       "the value is {}, expected a single number"};
constexpr Diag<> kNoTolerance{DiagCode::BadExpectation, Severity::kError,
                              "`~` without `+-` takes its tolerance from the last digit of a written number"};
constexpr Diag<> kBadTolerance{DiagCode::BadExpectation, Severity::kError,
                               "the tolerance is negative or no number"};
constexpr Diag<std::string> kBadAfter{
    DiagCode::BadExpectation, Severity::kError,
    "found `{}`, expected `after(50 steps, EXPR)` or `after(4 epochs, EXPR)`"};
constexpr Diag<> kManySteps{DiagCode::BadExpectation, Severity::kError,
                            "`after` goes to at most 1,000,000 steps"};
constexpr Diag<> kNoTraining{DiagCode::BadExpectation, Severity::kError,
                             "`after` needs a `train` block in the program"};

constexpr double kMostSteps = 1e6;

/// The `after(...)` at the root of an expression, under any number of indices.
ast::ExprId after_call(const Elaboration& e, ast::ExprId id) {
  while (e.expr(id).kind == ast::ExprKind::kIndex) id = e.expr(id).args[0];
  const bool is_after =
      e.expr(id).kind == ast::ExprKind::kCall && callee_of(e, id) == "after" && !e.library.find(0, "after");
  return is_after ? id : ast::ExprId{};
}

/// Reads the first argument of `after` into the target.
bool read_after(Elaboration& e, ast::ExprId call, ExpectationTarget& target) {
  const ast::Expr& expr = e.expr(call);
  const bool has_two = expr.arguments.size() == 2;
  const ast::Expr* count = has_two ? &e.expr(expr.arguments[0].value) : nullptr;
  const bool is_steps = count && (count->text == "steps" || count->text == "step");
  const bool is_epochs = count && (count->text == "epochs" || count->text == "epoch");
  const bool is_good = count && count->kind == ast::ExprKind::kUnit && (is_steps || is_epochs) &&
                       count->number >= 0 && count->number == std::floor(count->number);
  if (!is_good) {
    e.error(expr.range, kBadAfter, std::string(e.sources.text(expr.range)));
    return false;
  }
  if (count->number > kMostSteps) {
    e.error(count->range, kManySteps);
    return false;
  }
  if (!e.loss) {
    e.error(expr.range, kNoTraining);
    return false;
  }
  (is_steps ? target.after_steps : target.after_epochs) = static_cast<std::int64_t>(count->number);
  return true;
}

/// The value itself, as an output of the graph.
bool read_actual(Elaboration& e, const ast::Expectation& expectation, CheckedProgram& program,
                 ExpectationTarget& target) {
  const ast::ExprId call = after_call(e, expectation.actual);
  if (call.is_valid() && !read_after(e, call, target)) return false;
  e.after_call = call;
  start_step(e);
  const Operand operand = evaluate_operand(e, expectation.actual);
  e.after_call = {};
  const std::optional<TensorValue> tensor = tensor_of(e, operand);
  if (!tensor) return false;
  if (!tensor->axes.empty()) {
    Report report = e.error(operand.range, kNotScalar, axes_text(tensor->axes));
    e.label_origin(report, operand);
    report.note("take one element by its index: `[0]`, `[0, 1]`");
    return false;
  }
  target.output = fmt::format("expect.{}", program.expectations.size());
  program.graph.outputs.push_back({target.output, cast(expr_of(e, *tensor), e.dtype).value});
  return true;
}

bool read_tolerance(Elaboration& e, const ast::Expectation& expectation, ExpectationTarget& target) {
  if (target.comparison != ExpectationTarget::Comparison::kNear) return true;
  const ast::Expr& expected = e.expr(expectation.expected);
  std::optional<double> tolerance;
  if (expectation.tolerance.is_valid()) {
    tolerance = plain_number(e, evaluate_operand(e, expectation.tolerance), "a tolerance");
    if (!tolerance) return false;
  } else {
    tolerance = last_digit_unit(e.sources.text(expected.range));
    if (!tolerance) {
      e.error(expected.range, kNoTolerance).note("write for example `~ 1/3 +- 1e-6`");
      return false;
    }
  }
  target.tolerance = *tolerance;
  if (*tolerance >= 0) return true;
  e.error(expectation.range, kBadTolerance);
  return false;
}

ExpectationTarget::Comparison comparison_of(ast::Comparison comparison) {
  using Target = ExpectationTarget::Comparison;
  if (comparison == ast::Comparison::kLess) return Target::kLess;
  return comparison == ast::Comparison::kGreater ? Target::kGreater : Target::kNear;
}

void elaborate_expectation(Elaboration& e, const ast::CheckBlock& block, const ast::Expectation& expectation,
                           CheckedProgram& program) {
  ExpectationTarget target;
  target.title = block.title;
  target.text = std::string(e.sources.text(e.expr(expectation.actual).range));
  target.range = expectation.range;
  target.comparison = comparison_of(expectation.comparison);
  const auto expected =
      plain_number(e, evaluate_operand(e, expectation.expected), "a number to compare with");
  const bool is_near = read_tolerance(e, expectation, target);
  const bool is_good = read_actual(e, expectation, program, target);
  if (!expected || !is_near || !is_good) return;
  target.expected = *expected;
  program.expectations.push_back(std::move(target));
}

}  // namespace

void elaborate_checks(Elaboration& e, CheckedProgram& program) {
  for (const ast::CheckBlock& block : e.unit().checks) {
    for (const ast::Expectation& expectation : block.expectations) {
      elaborate_expectation(e, block, expectation, program);
    }
  }
}

}  // namespace dlg
