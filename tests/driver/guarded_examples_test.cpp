// Owns the proof that the training steps and evaluations of all examples touch nothing but their buffers, on
// every target, for a whole batch and a ragged one, by one thread or several; the bits are those of the
// planned memory.
#include <algorithm>
#include <functional>

#include "tests/catch.h"
#include "tests/driver/example_steps.h"
#include "tests/step_forms.h"

namespace {

using namespace dlg;
using namespace dlg::test;
using namespace dlg::testing;

/// The rows of two batches, the second one ragged where there are so many.
std::vector<std::int64_t> two_batches(const loop::Program& program, std::int64_t rows) {
  std::vector<std::int64_t> order(
      static_cast<std::size_t>(std::clamp<std::int64_t>(rows, 1, program.batch + (program.batch + 1) / 2)));
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  return order;
}

void check(const ExampleStep& example, Target target, StepForm form, const Guarding& guarding,
           std::int64_t workers) {
  INFO(target_name(target) << ", " << form_name(form) << ", " << guarding_name(guarding) << ", " << workers
                           << " workers");
  const StepBlocks found = example.run(example.compiled({.target = target, .form = form}, guarding), workers);
  if (have_same_bits(target, Target::kHost)) CHECK((found == example.end()));
}

using Visit = std::function<void(const ExampleStep&)>;

void visit_machine(Machine* machine, const LoadedData& data, const Visit& visit) {
  REQUIRE(machine != nullptr);
  visit(ExampleStep(*machine, two_batches(machine->program(), data.rows)));
}

/// Calls `visit` with the training step of a program - of a race, with each rule's - and with its evaluation.
void visit_program(Session& session, CheckedProgram program, const Visit& visit) {
  const std::optional<TrainingSetup> setup = set_up_training(session, std::move(program));
  REQUIRE(setup);
  const std::unique_ptr<Evaluator> evaluator = make_evaluator(session, *setup);
  visit_machine(evaluator ? &evaluator->rows() : nullptr, setup->data, visit);
  const std::optional<Race>& race = setup->program.race;
  if (!race) return visit_machine(make_trainer(session, *setup, setup->rule).get(), setup->data, visit);
  for (const Competitor& competitor : race->competitors) {
    visit_machine(make_trainer(session, *setup, rule_over(competitor.rule, setup->length)).get(), setup->data,
                  visit);
  }
}

void for_each_step(const Visit& visit) {
  for_each_example(
      [&](Session& session, CheckedProgram program) { visit_program(session, std::move(program), visit); });
}

/// In memory of every kind, by the calling thread alone and by 1 to 3 workers.
void check_all(const ExampleStep& example, Target target, StepForm form) {
  for (const Guarding& guarding : all_guardings()) {
    for (const std::int64_t workers : {0, 1, 2, 3}) check(example, target, form, guarding, workers);
  }
}

}  // namespace

TEST_CASE("steps of examples keep to their buffers on every target", "[generated]") {
  print_skipped_targets();
  std::uint64_t turn = 0;
  for_each_step([&](const ExampleStep& example) {
    const std::vector<StepForm> forms = step_forms(example.program());
    for (const Target target : runnable_targets()) {
      const auto workers = static_cast<std::int64_t>(turn % 4);
      check(example, target, forms[turn % forms.size()], guarding_of(turn), workers);
      ++turn;
    }
  });
}

/// Takes long.
TEST_CASE("steps of examples keep to their buffers, however those lie", "[.guarded]") {
  for_each_step([&](const ExampleStep& example) {
    for (const Target target : runnable_targets()) {
      for (const StepForm form : step_forms(example.program())) check_all(example, target, form);
    }
  });
}
