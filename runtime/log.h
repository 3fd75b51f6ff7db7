// Owns what a running training tells: log.jsonl and the progress line, neither more than ten times a second.
#pragma once

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/files.h"
#include "runtime/json.h"

namespace dlg {

/// Seconds since some fixed moment, never backwards. Tests give their own.
using Clock = std::function<double()>;
double steady_seconds();

/// Lets through at most ten a second; the first at once.
class RateLimit {
 public:
  explicit RateLimit(Clock clock = steady_seconds) : clock_(std::move(clock)) {}
  /// Whether it may happen now; if so, it counts as done.
  bool pass();

 private:
  Clock clock_;
  std::optional<double> last_;
};

/// A file of JSON lines, one object each, given to the system line by line: a killed run leaves whole lines.
class LogFile {
 public:
  /// Errors: exit 3.
  static std::optional<LogFile> create(const FileRequest& request, Diagnostics& diagnostics,
                                       Clock clock = steady_seconds);

  /// Goes on behind the lines of a log that is there; a line that was cut short is ended first.
  static std::optional<LogFile> append(const FileRequest& request, Diagnostics& diagnostics,
                                       Clock clock = steady_seconds);

  /// Written always: start, end, warnings.
  void event(const Json& line);
  /// Steps and epochs: written at most ten times a second; of what comes too early only the newest is kept,
  /// and written before the next event or at the end.
  void record(Json line);
  /// Writes what is kept. Errors: a line did not reach the file (exit 3).
  bool finish(Diagnostics& diagnostics);

 private:
  LogFile(Descriptor file, FileRequest request, Clock clock)
      : file_(std::move(file)), request_(std::move(request)), limit_(std::move(clock)) {}
  static std::optional<LogFile> open(const FileRequest& request, int flags, Diagnostics& diagnostics,
                                     Clock clock);
  void write(const Json& line);

  Descriptor file_;
  FileRequest request_;
  RateLimit limit_;
  std::optional<Json> kept_;
  int error_ = 0;  // of the first write that failed
};

enum class ProgressStyle {
  kRedrawn,  // a terminal: one line, drawn over itself
  kLines,    // otherwise: a line per epoch
  kSilent,
};

/// kRedrawn if `stream` is a terminal that can redraw, else kLines.
ProgressStyle progress_style(std::FILE* stream);

/// The progress line of a training.
class Progress {
 public:
  Progress(std::FILE* stream, ProgressStyle style, Clock clock = steady_seconds)
      : stream_(stream), style_(style), limit_(std::move(clock)) {}

  /// Inside an epoch: drawn on a terminal only.
  void moment(std::string_view text);
  /// After an epoch: drawn, or printed as a line; what comes too early is kept for `finish`.
  void epoch(std::string_view text);
  /// Shows the last epoch if it was not shown, and ends the line.
  void finish();

 private:
  void draw(std::string_view text);

  std::FILE* stream_;
  ProgressStyle style_;
  RateLimit limit_;
  std::optional<std::string> kept_;
  bool is_line_open_ = false;
};

}  // namespace dlg
