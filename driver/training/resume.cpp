#include "driver/training/resume.h"

#include <algorithm>

#include "driver/engine/programs.h"
#include "driver/training/same_program.h"
#include "driver/training/trained.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kEnded{DiagCode::RunEnded, Severity::kError,
                                                "the run `{}` has ended: {}"};
constexpr Diag<std::string, std::string> kOtherProgram{
    DiagCode::RunProgramChanged, Severity::kError,
    "this is not the program that the run `{}` was started "
    "with: {}"};
constexpr Diag<std::string, std::string, std::string> kOtherData{
    DiagCode::RunDataChanged, Severity::kError,
    "the data is not what the run `{}` was trained on: `{}` has {}"};

constexpr Diag<std::string, std::string, std::string> kOtherTarget{
    DiagCode::RunTargetChanged, Severity::kError,
    "the run `{}` was compiled for {}, this would be {}, which rounds otherwise"};

bool sets_stop(const Session& session) {
  const std::vector<Override>& sets = session.file_options.overrides;
  return std::any_of(sets.begin(), sets.end(), [](const Override& set) { return is_stop_key(set.key); });
}

/// A run that was interrupted or killed goes on; one that came to its end only to a new end.
bool has_work(Session& session, const RunFolder& folder, const RunRecord& record) {
  const bool is_open = record.ended.empty() || record.ended == end_text(TrainEnd::kInterrupted);
  const bool has_diverged = record.ended == end_text(TrainEnd::kDiverged);
  if (is_open || (!has_diverged && sets_stop(session))) return true;
  Report report = session.diagnostics.report({}, kEnded, folder.path, record.ended);
  if (has_diverged) {
    report.note(
        fmt::format("to start from its last good weights: `dlg train {} --init {} --set optimizer.lr=...`",
                    session.file_options.file, folder.weights()));
  } else {
    report.note(fmt::format("to train longer: `dlg train {} --resume {} --set stop=\"...\"`",
                            session.file_options.file, folder.number));
  }
  return false;
}

}  // namespace

std::optional<ResumedRun> open_run(Session& session, const std::string& wanted) {
  if (!has_program(session)) return std::nullopt;
  std::optional<RunFolder> folder = chosen_run(session, wanted);
  if (!folder) return std::nullopt;
  std::optional<RunLock> lock = RunLock::take(*folder, session.diagnostics);
  if (!lock) return std::nullopt;
  remove_leftovers(*folder);
  std::optional<RunRecord> record = read_run_record(*folder, session.diagnostics);
  if (!record || !has_work(session, *folder, *record)) return std::nullopt;
  std::optional<Checkpoint> checkpoint = read_checkpoint(*folder, session.diagnostics);
  if (!checkpoint) return std::nullopt;
  checkpoint->progress.seconds = record->seconds;
  repeat_overrides(session, *record);
  if (!session.engine_options.seed) session.engine_options.seed = record->seed;
  return ResumedRun{{std::move(*folder), std::move(*lock), std::move(*record)}, std::move(*checkpoint)};
}

bool is_same_program(Session& session, const CheckedProgram& program, const TrainingRun& run) {
  std::optional<ProgramDifference> difference =
      program_difference(session, program, run.folder, run.record, ComparedFor::kTraining);
  if (!difference && program.training->seed != run.record.seed) {
    difference = ProgramDifference{
        fmt::format("the seed was {} and is {}", run.record.seed, program.training->seed), {}, ""};
  }
  if (!difference) return true;
  Report report =
      session.diagnostics.report(difference->range, kOtherProgram, run.folder.path, difference->text);
  if (!difference->kept.empty()) {
    report.note(fmt::format("the program of the run is kept in `{}`", difference->kept));
  }
  return false;
}

bool is_same_arithmetic(Session& session, const TrainingRun& run) {
  const std::string* written = find_setting(run.record.versions, "target");
  const std::optional<Target> before = parse_target(written ? *written : "");
  const Target now = session.engine_options.target;
  if (!before || have_same_bits(*before, now)) return true;
  Report report =
      session.diagnostics.report({}, kOtherTarget, run.folder.path, *written, std::string(level_name(now)));
  if (can_run(*before)) {
    report.note(fmt::format("to go on with the same bits: `dlg train {} --resume {} --target {}`",
                            session.file_options.file, run.folder.number, *written));
  } else {
    report.note(
        fmt::format("this machine cannot run code for {}: go on where the run began, or start a new one with "
                    "its weights: `dlg train {} --init {}`",
                    *written, session.file_options.file, run.folder.weights()));
  }
  return false;
}

std::vector<DataMark> data_marks(const LoadedData& data) {
  std::vector<DataMark> marks;
  for (const DataColumn& column : data.columns) {
    const auto size = static_cast<std::size_t>(column.rows * column.row_elements * dtype_bytes(column.type));
    marks.push_back({column.name, column.rows, fingerprint({static_cast<const char*>(column.data()), size})});
  }
  return marks;
}

bool is_same_data(Session& session, const CheckedProgram& program, const std::vector<DataMark>& marks,
                  const ResumedRun& resumed) {
  for (const DataMark& before : resumed.checkpoint.data) {
    const auto now = std::find_if(marks.begin(), marks.end(),
                                  [&](const DataMark& mark) { return mark.path == before.path; });
    if (now == marks.end() || *now == before) continue;
    SourceRange range;
    for (const Field& field : program.data->fields) {
      if (field.path == before.path) range = field.range;
    }
    const std::string what = now->rows == before.rows
                                 ? "other values"
                                 : fmt::format("{}, not {}", counted(now->rows, "row"), before.rows);
    session.diagnostics.report(range, kOtherData, resumed.run.folder.path, before.path, what);
    return false;
  }
  return true;
}

}  // namespace dlg
