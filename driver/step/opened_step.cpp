#include "driver/step/opened_step.h"

#include <fmt/ostream.h>

#include <cmath>

#include "driver/engine/programs.h"

namespace dlg {
namespace {

constexpr Diag<std::int64_t, std::int64_t> kNoSuchSample{
    DiagCode::NoSuchSample, Severity::kError, "there is no sample {} in the first batch, which has {} rows"};
constexpr Diag<> kNothingToStep{DiagCode::NoTrainBlock, Severity::kError,
                                "the program has no `train` block, so there is no step to make"};

}  // namespace

std::unique_ptr<OpenedStep> open_step(Session& session, const StepOptions& options) {
  std::optional<CheckedProgram> program = load_program(session);
  if (!program) return nullptr;
  if (!program->training) {
    session.diagnostics.report({session.file, 0, 0}, kNothingToStep);
    return nullptr;
  }
  std::optional<TrainingSetup> setup = set_up_training(session, *std::move(program));
  if (!setup) return nullptr;
  Inspection inspection = inspect(setup->program);
  auto opened = std::make_unique<OpenedStep>(
      OpenedStep{*std::move(setup), std::move(inspection), nullptr, options.sample});
  const LaboratoryUse use = options.picture.empty() ? LaboratoryUse::kTrain : LaboratoryUse::kObserve;
  opened->laboratory =
      chosen_laboratory(session, opened->setup, opened->inspection, {.engine = options.engine, .use = use});
  if (!opened->laboratory) return nullptr;
  const std::int64_t rows = opened->laboratory->rows();
  if (options.sample < rows) return opened;
  session.diagnostics.report({session.file, 0, 0}, kNoSuchSample, options.sample, rows);
  return nullptr;
}

std::optional<StateValues> first_update(Session& session, Laboratory& laboratory, const StateValues& start) {
  std::optional<StateValues> states = laboratory.train_from(start, 1);
  if (states || session.diagnostics.has_errors()) return states;
  const bool is_loss = !std::isfinite(laboratory.observe(start).at("loss").front());
  fmt::print(session.streams.err, "dlg: {} not finite, so no update was made\n",
             is_loss ? "the loss is" : "a new weight or state of the optimizer is");
  return std::nullopt;
}

}  // namespace dlg
