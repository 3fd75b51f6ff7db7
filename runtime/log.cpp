// Owns the rate limit, the lines of log.jsonl and the drawing of the progress line.
#include "runtime/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <utility>

namespace dlg {
namespace {

constexpr double kInterval = 0.1;                        // seconds between two writes
constexpr std::size_t kMostKept = std::size_t{1} << 20;  // bytes that wait to be written
constexpr std::string_view kEpochLine = R"({"event":"epoch","epoch":)";

constexpr Diag<std::string, std::string> kNoLog{DiagCode::FileNotWritten, Severity::kError,
                                                "`{}` cannot be written: {}"};

/// Whether a line of a log tells of an epoch behind `epochs`.
bool is_later_epoch(std::string_view line, std::int64_t epochs) {
  if (!line.starts_with(kEpochLine)) return false;
  std::int64_t epoch = 0;
  std::from_chars(line.data() + kEpochLine.size(), line.data() + line.size(), epoch);
  return epoch > epochs;
}

/// The whole lines of a log without those of later epochs.
std::string lines_until(std::string_view log, std::int64_t epochs) {
  std::string kept;
  while (true) {
    const std::size_t end = log.find('\n');
    if (end == std::string_view::npos) return kept;
    const std::string_view line = log.substr(0, end + 1);
    if (!is_later_epoch(line, epochs)) kept += line;
    log.remove_prefix(end + 1);
  }
}

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool RateLimit::pass() {
  const double now = clock_();
  if (last_ && now - *last_ < kInterval) return false;
  last_ = now;
  return true;
}

std::optional<LogFile> LogFile::open(const FileRequest& request, int flags, Diagnostics& diagnostics,
                                     Clock clock) {
  Descriptor file = open_file(request.path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW);
  if (file.is_open()) return LogFile(std::move(file), request, std::move(clock));
  diagnostics.report(request.range, kNoLog, request.name(), std::string(std::strerror(errno)));
  return std::nullopt;
}

std::optional<LogFile> LogFile::create(const FileRequest& request, Diagnostics& diagnostics, Clock clock) {
  return open(request, O_WRONLY | O_EXCL, diagnostics, std::move(clock));
}

std::optional<LogFile> LogFile::append(const FileRequest& request, std::int64_t epochs,
                                       Diagnostics& diagnostics, Clock clock) {
  Diagnostics unheard;
  // A log that is gone or cannot be read is begun anew, or the writing of it says why not.
  if (const std::optional<std::string> log = read_file(request, unheard)) {
    const std::string kept = lines_until(*log, epochs);
    if (kept != *log && !write_file(request, kept, diagnostics)) return std::nullopt;
  }
  return open(request, O_WRONLY | O_APPEND, diagnostics, std::move(clock));
}

LogFile::~LogFile() {
  if (file_.is_open()) flush();
}

void LogFile::event(const Json& line) {
  kept_ += json_text(line) + "\n";
  flush();
}

void LogFile::epoch(const EpochEvent& event, const Json& results) {
  // Steps that are epochs take nanoseconds: the line is written without a Json.
  fmt::format_to(std::back_inserter(kept_), R"({}{},"step":{},"loss":{},"seconds":{})", kEpochLine,
                 event.epoch, event.step, json_number(event.loss), json_number(event.seconds));
  kept_ += results.as_object()->empty() ? "}\n" : ',' + json_text(results).substr(1) + '\n';
  if (kept_.size() > kMostKept) flush();
  tick();
}

void LogFile::tick() {
  if (!kept_.empty() && limit_.pass()) flush();
}

bool LogFile::finish(Diagnostics& diagnostics) {
  flush();
  if (error_ == 0) return true;
  diagnostics.report(request_.range, kNoLog, request_.name(), std::string(std::strerror(error_)));
  return false;
}

void LogFile::flush() {
  if (!write_all(file_.get(), kept_) && error_ == 0) error_ = errno;
  kept_.clear();
}

ProgressStyle progress_style(std::FILE* stream) {
  const char* terminal = std::getenv("TERM");
  const bool can_redraw = terminal == nullptr || std::string_view(terminal) != "dumb";
  return ::isatty(::fileno(stream)) == 1 && can_redraw ? ProgressStyle::kRedrawn : ProgressStyle::kLines;
}

void Progress::moment(std::string_view text) {
  if (style_ == ProgressStyle::kRedrawn && limit_.pass()) draw(text);
}

void Progress::epoch(std::string_view text) {
  if (style_ == ProgressStyle::kSilent) return;
  kept_ = std::string(text);
  if (limit_.pass()) draw(*std::exchange(kept_, std::nullopt));
}

void Progress::finish() {
  if (kept_) draw(*std::exchange(kept_, std::nullopt));
  if (is_line_open_) std::fputc('\n', stream_);
  is_line_open_ = false;
  std::fflush(stream_);
}

void Progress::draw(std::string_view text) {
  constexpr const char* kClearToEnd = "\x1b[K";
  const std::string line(text);
  if (style_ == ProgressStyle::kLines) {
    std::fprintf(stream_, "%s\n", line.c_str());
  } else {
    std::fprintf(stream_, "\r%s%s", line.c_str(), kClearToEnd);
    is_line_open_ = true;
  }
  std::fflush(stream_);
}

}  // namespace dlg
