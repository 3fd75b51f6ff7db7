#include "driver/training/training_log.h"

#include <numeric>

namespace dlg {

std::optional<TrainingLog> TrainingLog::open(const RunFolder& folder, const Checkpoint* checkpoint,
                                             const std::string& program, Diagnostics& diagnostics) {
  const FileRequest request{folder.log(), "", {}};
  std::optional<LogFile> file = checkpoint != nullptr
                                    ? LogFile::append(request, checkpoint->progress.epochs, diagnostics)
                                    : LogFile::create(request, diagnostics);
  if (!file) return std::nullopt;
  Json start = Json::object();
  start.set("event", checkpoint != nullptr ? "resume" : "start").set("program", program);
  if (checkpoint != nullptr) start.set("step", checkpoint->progress.steps);
  file->event(start);
  return TrainingLog(*std::move(file));
}

void TrainingLog::compiles(const std::vector<CompileRecord>& all) {
  for (; compiles_ < all.size(); ++compiles_) {
    const CompileRecord& compile = all[compiles_];
    Json line = Json::object();
    line.set("event", "compile").set("what", compile.what).set("batch", compile.batch);
    line.set("kernels", compile.kernels).set("seconds", compile.seconds);
    line.set("cached", compile.code.is_cached);
    file_.event(line);
  }
}

void TrainingLog::workers(const Team* team) {
  if (team == nullptr) return;
  const std::vector<double> seconds = team->busy_seconds();
  const double all = std::accumulate(seconds.begin(), seconds.end(), 0.0);
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    Json line = Json::object();
    line.set("event", "worker").set("worker", static_cast<std::int64_t>(i)).set("seconds", seconds[i]);
    line.set("share", all > 0 ? seconds[i] / all : 0.0);
    file_.event(line);
  }
}

void TrainingLog::end(Json result) {
  file_.event(result.set("event", "end"));
}

}  // namespace dlg
