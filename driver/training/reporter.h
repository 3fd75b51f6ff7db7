// Owns what is told of a training under way: on the terminal and, of its epochs, in the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/training/running_training.h"

namespace dlg {

/// Updates made: steps of the program but where several micro-batches make one.
std::int64_t updates_made(const CheckedProgram& program, const TrainProgress& progress);

/// Tells of epochs: the log of every one, a terminal at most ten times a second and of the last.
class Reporter {
 public:
  /// `logged`: the last epoch that is in the log.
  Reporter(const RunningTraining& training, ProgressStyle style, std::int64_t logged);

  /// At its end.
  void epoch(const TrainProgress& at);
  /// Gone over by a call of compiled code.
  void passed_epoch(const TrainProgress& at) { log(at, {}); }
  /// Between two calls of compiled code.
  void moment(const TrainProgress& at);
  /// At the end of the training: of the last epoch, if it was not told.
  void finish(const TrainProgress& at);

 private:
  std::string text(const TrainProgress& at, const std::vector<PartResult>& results) const;
  void log(const TrainProgress& at, const std::vector<PartResult>& results);

  RunningTraining training_;
  Progress progress_;
  RateLimit limit_;
  std::optional<std::int64_t> epochs_;  // of the whole training, if they are counted
  std::int64_t logged_;                 // the last epoch that is in the log
  bool is_shown_ = true;
};

/// How progress is shown: not at all if standard error is not the process's own.
ProgressStyle progress_style(const Streams& streams);

}  // namespace dlg
