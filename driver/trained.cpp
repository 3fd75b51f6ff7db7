#include "driver/trained.h"

#include <algorithm>
#include <filesystem>

namespace dlg {
namespace {

std::optional<RunFolder> chosen_run(Session& session) {
  const std::string root(kRunsFolder);
  const std::string& wanted = session.options.run;
  if (!wanted.empty()) return find_run(root, wanted, session.diagnostics);
  return latest_run(root, file_stem(session.options.file), session.diagnostics);
}

/// Puts the overrides of the run before those of this call, but for keys that this call sets itself.
void apply_overrides(Session& session, const RunRecord& record) {
  std::vector<Override> all;
  for (const auto& recorded : record.overrides) {
    const std::vector<Override>& own = session.options.overrides;
    const bool is_set =
        std::any_of(own.begin(), own.end(), [&](const Override& o) { return o.key == recorded.first; });
    if (!is_set) all.push_back({recorded.first, recorded.second});
  }
  all.insert(all.end(), session.options.overrides.begin(), session.options.overrides.end());
  session.options.overrides = std::move(all);
}

}  // namespace

std::optional<TrainedProgram> load_trained(Session& session) {
  std::error_code error;
  if (!std::filesystem::exists(session.options.file, error)) {
    read_source(session);
    return std::nullopt;
  }
  std::optional<RunFolder> folder = chosen_run(session);
  if (!folder) return std::nullopt;
  std::optional<RunRecord> record = read_run_record(*folder, session.diagnostics);
  if (!record) return std::nullopt;
  apply_overrides(session, *record);
  std::optional<Program> program = load_program(session);
  if (!program) return std::nullopt;
  std::optional<StateValues> weights = load_weights(session, *folder, program->graph, session.diagnostics);
  if (!weights) return std::nullopt;
  return TrainedProgram{std::move(*program), std::move(*folder), std::move(*record), std::move(*weights)};
}

}  // namespace dlg
