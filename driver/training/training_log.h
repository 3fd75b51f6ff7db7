// Owns the log of a training: how it begins, what is compiled for it, its epochs, its workers, its end.
#pragma once

#include <optional>
#include <vector>

#include "driver/cli/session.h"
#include "runtime/checkpoint.h"
#include "runtime/log.h"

namespace dlg {

class TrainingLog {
 public:
  /// A new log, or the one of the run that goes on from `checkpoint` (null: none does), with its first event.
  /// nullopt after an error.
  static std::optional<TrainingLog> open(const RunFolder& folder, const Checkpoint* checkpoint,
                                         const std::string& program, Diagnostics& diagnostics);

  /// An event for each of them that the log does not have yet; `all` only grows.
  void compiles(const std::vector<CompileRecord>& all);
  /// What each worker did of the parts of steps that are divided. Null: there are no workers.
  void workers(const Team* team);
  /// `result`: the members of the last event.
  void end(Json result);

  /// For epochs and other events.
  LogFile& file() { return file_; }
  /// Writes what is kept. False after an error.
  bool finish(Diagnostics& diagnostics) { return file_.finish(diagnostics); }

 private:
  explicit TrainingLog(LogFile file) : file_(std::move(file)) {}

  LogFile file_;
  std::size_t compiles_ = 0;  // that it has
};

}  // namespace dlg
