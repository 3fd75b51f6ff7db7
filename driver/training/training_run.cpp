#include "driver/training/training_run.h"

#include <algorithm>
#include <iterator>

namespace dlg {
namespace {

/// The setting that says which weights a training began with.
constexpr std::string_view kInit = "--init";

RunRecord start_record(const Session& session, const TrainingSetup& setup) {
  const CheckedProgram& program = setup.program;
  RunRecord record;
  record.program = program.name;
  record.model = program.model_name;
  record.started = utc_time_text();
  record.seed = program.training->seed;
  record.versions = {{"llvm", llvm_version()},
                     {"target", std::string(level_name(session.engine_options.target))}};
  record.settings = program.settings;
  for (const Override& set : session.file_options.overrides)
    record.overrides.emplace_back(set.key, set.value);
  if (program.data) {
    record.data_name = program.data->name;
    if (program.data->file) record.data_file = program.data->file->paths.front().text;
  }
  record.header = setup.data.header;
  record.fields = setup.data.fields;
  return record;
}

}  // namespace

std::optional<TrainingRun> start_run(Session& session, const TrainingSetup& setup, const std::string& init) {
  std::optional<RunFolder> folder =
      create_run_folder(std::string(kRunsFolder), setup.program.name, session.diagnostics);
  if (!folder) return std::nullopt;
  std::optional<RunLock> lock = RunLock::take(*folder, session.diagnostics);
  if (!lock) return std::nullopt;
  TrainingRun run{*std::move(folder), *std::move(lock), start_record(session, setup)};
  if (!init.empty()) run.record.settings.emplace_back(kInit, init);
  const bool is_written =
      copy_program(session, run.folder) && write_run_record(run.folder, run.record, session.diagnostics);
  if (!is_written) return std::nullopt;
  return run;
}

std::optional<TrainingRun> reopen_run(Session& session, const TrainingSetup& setup, TrainingRun run) {
  const RunRecord now = start_record(session, setup);
  std::vector<std::pair<std::string, std::string>> settings = now.settings;
  // Where the training began stays a part of its record.
  std::copy_if(run.record.settings.begin(), run.record.settings.end(), std::back_inserter(settings),
               [](const auto& setting) { return setting.first == kInit; });
  run.record.settings = std::move(settings);
  run.record.overrides = now.overrides;
  run.record.ended.clear();
  if (!write_run_record(run.folder, run.record, session.diagnostics)) return std::nullopt;
  return run;
}

}  // namespace dlg
