// Owns what a running training tells: log.jsonl, and the progress line at most ten times a second.
#pragma once

#include <cstdint>
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

/// What a line of the log tells of an epoch.
struct EpochEvent {
  std::int64_t epoch = 0;
  std::int64_t step = 0;  // updates made
  double loss = 0;
  double seconds = 0;  // since the start
};

/// A file of JSON lines, one object each. Whole lines are given to the system, those of epochs together, none
/// later than a tenth of a second: a killed run leaves whole lines.
class LogFile {
 public:
  /// Errors: exit 3.
  static std::optional<LogFile> create(const FileRequest& request, Diagnostics& diagnostics,
                                       Clock clock = steady_seconds);

  /// Goes on behind the lines of a log that is there. What was logged behind the end of epoch `epochs`, from
  /// where the training goes on, is taken out: it comes again. So is a line that was cut short.
  static std::optional<LogFile> append(const FileRequest& request, std::int64_t epochs,
                                       Diagnostics& diagnostics, Clock clock = steady_seconds);

  LogFile(LogFile&&) = default;
  /// Writes what is kept.
  ~LogFile();

  /// Start, end, warnings: in the file when it returns.
  void event(const Json& line);
  /// An epoch, and behind it the members of `results`: in the file within a tenth of a second, if `tick`
  /// comes so often.
  void epoch(const EpochEvent& event, const Json& results = Json::object());
  /// Writes what is kept if it is time.
  void tick();
  /// Writes what is kept now.
  void flush();
  /// Writes what is kept. Errors: a line did not reach the file (exit 3).
  bool finish(Diagnostics& diagnostics);

 private:
  LogFile(Descriptor file, FileRequest request, Clock clock)
      : file_(std::move(file)), request_(std::move(request)), limit_(std::move(clock)) {}
  static std::optional<LogFile> open(const FileRequest& request, int flags, Diagnostics& diagnostics,
                                     Clock clock);

  Descriptor file_;
  FileRequest request_;
  RateLimit limit_;
  std::string kept_;  // whole lines
  int error_ = 0;     // of the first write that failed
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
