// Owns `dlg check`: shapes, expectations, and compiled code against the reference.
#include <fmt/ostream.h>

#include <algorithm>
#include <cmath>

#include "driver/engine/affordable_rows.h"
#include "driver/engine/agreement.h"
#include "driver/engine/programs.h"
#include "driver/verbs/verbs.h"
#include "support/text.h"

namespace dlg {
namespace {

/// "net [2] -> ..., 8 trained numbers": what the program is, in one line.
std::string summary(const TrainingSetup& setup) {
  const CheckedProgram& program = setup.program;
  const std::int64_t rows = setup.data.rows;
  std::int64_t trained = 0;
  std::int64_t constant = 0;
  std::int64_t remembered = 0;
  for (const State& state : program.graph.states) {
    const std::int64_t count = state.type.shape.elements();
    if (state.kind == StateKind::kParameter) trained += count;
    if (state.kind == StateKind::kConstant) constant += count;
    if (state.kind == StateKind::kModel) remembered += count;
  }
  std::string text = program.model_name.empty() ? "" : fmt::format("model {}, ", program.model_name);
  text += counted(trained, "trained number");
  if (constant > 0) text += fmt::format(", {} constant", constant);
  if (remembered > 0) text += fmt::format(", {} of state", remembered);
  text += rows == 0 ? ", no data" : ", " + counted(rows, "sample");
  return text;
}

/// Compares every observed value of the two engines and prints a line each, in the program's dtype. Answers
/// kExitBug where rounding does not explain a difference, else kExitOk.
int check_agreement(Session& session, const TrainingSetup& setup, const Inspection& inspection,
                    Laboratory& compiled) {
  const std::unique_ptr<Laboratory> reference = comparing_laboratory(session, setup, inspection);
  if (!reference) return session.report();
  Observations found = compiled.observe(compiled.initial());
  if (session.diagnostics.has_errors()) return session.report();
  if (reference->rows() < compiled.rows()) found = compiled.observe(compiled.initial(), reference->batch());
  const Observations expected = reference->observe(reference->initial());
  const std::optional<Observations> bounds = reference->rounding_bounds();
  const std::vector<ComparedValue> list = agreements(setup.program, inspection, {found, expected, bounds});
  fmt::print(session.streams.out, "{}",
             agreement_table(list, setup.program.dtype, rows_text(setup, reference->rows())));
  if (!bounds) fmt::print(session.streams.out, "  (no memory to bound what rounding explains)\n");
  const ComparedValue* unexplained = first_unexplained(list);
  if (!unexplained) return kExitOk;
  session.report();
  fmt::print(session.streams.err, "{}", unexplained_text(*unexplained, session.sources));
  return kExitBug;
}

bool holds(const ExpectationTarget& target, double actual) {
  switch (target.comparison) {
    case ExpectationTarget::Comparison::kLess:
      return actual < target.expected;
    case ExpectationTarget::Comparison::kGreater:
      return actual > target.expected;
    case ExpectationTarget::Comparison::kNear:
      break;
  }
  return std::abs(actual - target.expected) <= target.tolerance;
}

std::string_view relation_text(const ExpectationTarget& target) {
  switch (target.comparison) {
    case ExpectationTarget::Comparison::kLess:
      return "<";
    case ExpectationTarget::Comparison::kGreater:
      return ">";
    case ExpectationTarget::Comparison::kNear:
      break;
  }
  return "~";
}

/// The number of updates before the value is looked at; 0: before training.
std::int64_t updates_before(const ExpectationTarget& target, const TrainingSetup& setup) {
  if (target.after_steps) return *target.after_steps;
  if (!target.after_epochs) return 0;
  return *target.after_epochs * steps_of_epoch(setup.plan) / setup.program.training->accumulate;
}

/// The value of one expectation; nullopt if training diverged on the way.
std::optional<double> actual_value(const ExpectationTarget& target, const TrainingSetup& setup,
                                   Laboratory& laboratory) {
  std::optional<StateValues> states = laboratory.initial();
  if (target.after_steps || target.after_epochs) {
    states = laboratory.train(updates_before(target, setup));
  }
  if (!states) return std::nullopt;
  return laboratory.observe(*states).at(target.output).front();
}

/// Prints one expectation; answers whether it holds.
bool check_one(Session& session, const ExpectationTarget& target, std::optional<double> actual) {
  const std::string place = session.sources.line_reference(target.range);
  const bool is_met = actual && holds(target, *actual);
  std::string wanted = fmt::format("{} {}", relation_text(target), number_text(target.expected));
  if (target.comparison == ExpectationTarget::Comparison::kNear) {
    wanted += fmt::format(" +- {}", number_text(target.tolerance));
  }
  fmt::print(session.streams.out, "  {} {}: {} is {}, expected {}\n", is_met ? "ok  " : "FAIL", place,
             target.text, actual ? rounded_text(*actual, 9) : "not finite: training diverged", wanted);
  return is_met;
}

/// Only an expectation of a state after some training asks for a training step.
LaboratoryUse use_of(const CheckedProgram& program) {
  const bool is_trained =
      std::any_of(program.expectations.begin(), program.expectations.end(),
                  [](const ExpectationTarget& target) { return target.after_steps || target.after_epochs; });
  return is_trained ? LaboratoryUse::kTrain : LaboratoryUse::kObserve;
}

/// All check blocks in the order of the text; answers how many expectations fail.
std::int64_t check_expectations(Session& session, const TrainingSetup& setup, Laboratory& laboratory) {
  std::int64_t failed = 0;
  std::string title;
  for (const ExpectationTarget& target : setup.program.expectations) {
    if (target.title != title) fmt::print(session.streams.out, "check \"{}\"\n", target.title);
    title = target.title;
    const std::optional<double> actual = actual_value(target, setup, laboratory);
    if (session.diagnostics.has_errors()) break;
    if (!check_one(session, target, actual)) ++failed;
  }
  return failed;
}

}  // namespace

int verb_check(Session& session, CommandLine& line) {
  Engine engine = Engine::kJit;
  if (!line.read(session.file_options, session.engine_options, engine)) return line.exit_code();
  std::optional<CheckedProgram> program = load_program(session);
  if (!program) return session.report();
  const std::optional<TrainingSetup> setup = set_up_training(session, *std::move(program));
  if (!setup) return session.report();
  fmt::print(session.streams.out, "{}: {}\n", session.file_options.file, summary(*setup));
  const Inspection inspection = inspect(setup->program);
  const std::unique_ptr<Laboratory> laboratory =
      chosen_laboratory(session, *setup, inspection, {engine, use_of(setup->program)});
  if (!laboratory) return session.report();
  if (engine == Engine::kJit) {
    const int agreed = check_agreement(session, *setup, inspection, *laboratory);
    if (agreed != kExitOk) return agreed;
  }
  const std::int64_t failed = check_expectations(session, *setup, *laboratory);
  const int exit_code = session.report();
  if (exit_code != kExitOk) return exit_code;
  if (failed == 0) {
    fmt::print(session.streams.out, "ok: {}\n",
               counted(static_cast<std::int64_t>(setup->program.expectations.size()), "expectation"));
    return kExitOk;
  }
  fmt::print(session.streams.out, "failed: {} of {}\n", failed,
             counted(static_cast<std::int64_t>(setup->program.expectations.size()), "expectation"));
  return kExitExpectation;
}

}  // namespace dlg
