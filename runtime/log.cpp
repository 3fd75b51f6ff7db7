// Owns the rate limit, the lines of log.jsonl and the drawing of the progress line.
#include "runtime/log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace dlg {
namespace {

constexpr double kInterval = 0.1;  // seconds between two lines

constexpr Diag<std::string, std::string> kNoLog{DiagCode::FileNotWritten, Severity::kError,
                                                "`{}` cannot be written: {}"};

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

std::optional<LogFile> LogFile::append(const FileRequest& request, Diagnostics& diagnostics, Clock clock) {
  std::optional<LogFile> log = open(request, O_RDWR | O_APPEND, diagnostics, std::move(clock));
  if (!log) return std::nullopt;
  char last = '\n';
  const off_t size = ::lseek(log->file_.get(), 0, SEEK_END);
  if (size > 0 && ::pread(log->file_.get(), &last, 1, size - 1) == 1 && last != '\n') {
    if (!write_all(log->file_.get(), "\n")) log->error_ = errno;
  }
  return log;
}

void LogFile::event(const Json& line) {
  if (kept_) write(*std::exchange(kept_, std::nullopt));
  write(line);
}

void LogFile::record(Json line) {
  kept_ = std::move(line);
  if (limit_.pass()) write(*std::exchange(kept_, std::nullopt));
}

bool LogFile::finish(Diagnostics& diagnostics) {
  if (kept_) write(*std::exchange(kept_, std::nullopt));
  if (error_ == 0) return true;
  diagnostics.report(request_.range, kNoLog, request_.name(), std::string(std::strerror(error_)));
  return false;
}

void LogFile::write(const Json& line) {
  const std::string text = json_text(line) + "\n";
  if (!write_all(file_.get(), text) && error_ == 0) error_ = errno;
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
