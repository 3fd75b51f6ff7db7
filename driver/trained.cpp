#include "driver/trained.h"

namespace dlg {
std::optional<TrainedRun> load_run(Session& session, const Program& program) {
  const std::string root(kRunsFolder);
  const std::string& wanted = session.options.run;
  std::optional<RunFolder> folder = wanted.empty() ? latest_run(root, program.name, session.diagnostics)
                                                   : find_run(root, wanted, session.diagnostics);
  if (!folder) return std::nullopt;
  std::optional<RunRecord> record = read_run_record(*folder, session.diagnostics);
  if (!record) return std::nullopt;
  std::optional<StateValues> weights = load_weights(session, *folder, program.graph, session.diagnostics);
  if (!weights) return std::nullopt;
  return TrainedRun{std::move(*folder), std::move(*record), std::move(*weights)};
}

}  // namespace dlg
