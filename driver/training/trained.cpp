#include "driver/training/trained.h"

#include <algorithm>
#include <filesystem>

#include "driver/cli/outputs.h"
#include "driver/training/same_program.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kOtherProgram{
    DiagCode::RunProgramChanged, Severity::kWarning,
    "this is not the program that the run `{}` was trained with: {}"};

/// A program that is not the one trained may still fit the weights; then it is told.
void warn_of_difference(Session& session, const CheckedProgram& program, const RunFolder& folder,
                        const RunRecord& record) {
  const auto difference = program_difference(session, program, folder, record, ComparedFor::kEvaluation);
  if (!difference) return;
  Report report = session.diagnostics.report(difference->range, kOtherProgram, folder.path, difference->text);
  if (!difference->kept.empty()) {
    report.note(fmt::format("the program of the run is kept in `{}`", difference->kept));
  }
}

/// What may not be written over: all that is read.
std::vector<InputFile> files_read(const Session& session, const CheckedProgram& program,
                                  const RunFolder& folder, const std::string& samples) {
  std::vector<InputFile> files = files_of_program(session, program);
  if (!samples.empty()) files.push_back({samples, "the file of the samples"});
  for (InputFile& file : files_of_run(folder)) files.push_back(std::move(file));
  return files;
}

}  // namespace

std::optional<RunFolder> chosen_run(Session& session, const std::string& wanted) {
  const std::string root(kRunsFolder);
  if (!wanted.empty()) return find_run(root, wanted, session.diagnostics);
  return latest_run(root, file_stem(session.file_options.file), session.diagnostics);
}

void repeat_overrides(Session& session, const RunRecord& record) {
  std::vector<Override> all;
  for (const auto& recorded : record.overrides) {
    const std::vector<Override>& own = session.file_options.overrides;
    const bool is_set =
        std::any_of(own.begin(), own.end(), [&](const Override& o) { return o.key == recorded.first; });
    if (!is_set) all.push_back({recorded.first, recorded.second});
  }
  all.insert(all.end(), session.file_options.overrides.begin(), session.file_options.overrides.end());
  session.file_options.overrides = std::move(all);
}

bool has_program(Session& session) {
  std::error_code error;
  return std::filesystem::exists(session.file_options.file, error) || read_source(session);
}

std::optional<TrainedProgram> load_trained(Session& session, const RunOptions& chosen,
                                           const PredictionFiles& files) {
  if (!has_program(session)) return std::nullopt;
  std::optional<RunFolder> folder = chosen_run(session, chosen.run);
  if (!folder) return std::nullopt;
  std::optional<RunRecord> record = read_run_record(*folder, session.diagnostics);
  if (!record) return std::nullopt;
  repeat_overrides(session, *record);
  // What an evaluation draws is what the run drew.
  if (!session.engine_options.seed) session.engine_options.seed = record->seed;
  std::optional<CheckedProgram> program = load_program(session);
  if (!program) return std::nullopt;
  std::vector<std::string> outputs = files.outputs;
  std::erase(outputs, "");
  if (!keeps_inputs(session, outputs, files_read(session, *program, *folder, files.input))) {
    return std::nullopt;
  }
  warn_of_difference(session, *program, *folder, *record);
  std::optional<TensorFile> weights = load_weights(session, *folder, program->graph, chosen.weights);
  if (!weights) return std::nullopt;
  return TrainedProgram{std::move(*program), std::move(*folder), std::move(*record), std::move(*weights)};
}

}  // namespace dlg
