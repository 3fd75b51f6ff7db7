// Owns the system calls of whole-file reading and of replacing a file in one step.
#include "runtime/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "support/memory_limit.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kMissing{DiagCode::FileMissing, Severity::kError, "`{}` does not exist"};
constexpr Diag<std::string, std::string> kUnreadable{DiagCode::FileUnreadable, Severity::kError,
                                                     "`{}` cannot be read: {}"};
constexpr Diag<std::string, std::string> kNotWritten{DiagCode::FileNotWritten, Severity::kError,
                                                     "`{}` cannot be written: {}"};

constexpr std::string_view kTemporary = ".tmp";

std::string error_text(int error) {
  return std::strerror(error);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// Repeats a system call that a signal has cut short. Not for close: Linux has closed the descriptor then.
template <class Call>
auto uninterrupted(const Call& call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

/// Makes room for what the file claims to hold, unless that is more than there is memory for.
template <class Bytes>
void reserve_claimed(int fd, std::size_t chunk, Bytes& bytes) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0 || status.st_size < 0 || status.st_size > memory_limit()) return;
  bytes.reserve(bytes.size() + static_cast<std::size_t>(status.st_size) + chunk);
}

/// Appends all bytes up to the end of the file; the size that the file claims is only a hint.
template <class Bytes>
bool read_all(int fd, Bytes& bytes) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  reserve_claimed(fd, kChunk, bytes);
  while (true) {
    const std::size_t old_size = bytes.size();
    bytes.resize(old_size + kChunk);
    const ssize_t count = ::read(fd, bytes.data() + old_size, kChunk);
    bytes.resize(old_size + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count == 0) return true;
    if (count < 0 && errno != EINTR) return false;
  }
}

/// "what it is", if it is not a regular file.
const char* kind_text(mode_t mode) {
  if (S_ISDIR(mode)) return "it is a folder";
  return S_ISREG(mode) ? nullptr : "it is not a regular file";
}

/// Reads a file on, piece by piece, to compare it.
class Comparison {
 public:
  explicit Comparison(int fd) : fd_(fd) {}

  /// Whether the next bytes of the file are these.
  bool goes_on_with(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::string_view found = read_some(bytes.size());
      if (found.empty() || !bytes.starts_with(found)) return false;
      bytes.remove_prefix(found.size());
    }
    return true;
  }

  bool ends_here() { return read_some(1).empty() && !has_failed_; }

 private:
  static constexpr std::size_t kMostBytes = std::size_t{1} << 18;

  std::string_view read_some(std::size_t most) {
    found_.resize(std::min(most, kMostBytes));
    const ssize_t count = uninterrupted([&] { return ::read(fd_, found_.data(), found_.size()); });
    has_failed_ = count < 0;
    return {found_.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
  }

  int fd_;
  std::vector<char> found_;
  bool has_failed_ = false;
};

bool holds(const std::string& path, const Content& content) {
  const Descriptor file = open_file(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  Comparison comparison(file.get());
  return file.is_open() && content([&](std::string_view bytes) { return comparison.goes_on_with(bytes); }) &&
         comparison.ends_here();
}

/// Makes and fills a new file; nullopt or what went wrong.
std::optional<std::string> write_new(const std::string& path, const Content& content) {
  Descriptor file = open_file(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW);
  if (!file.is_open()) return error_text(errno);
  if (!content([&](std::string_view bytes) { return write_all(file.get(), bytes); }))
    return error_text(errno);
  if (uninterrupted([&] { return ::fsync(file.get()); }) != 0) return error_text(errno);
  if (!file.close()) return error_text(errno);
  if (!holds(path, content)) return "what was written does not read back";
  return std::nullopt;
}

/// A rename lasts only once its folder is synced. Some file systems cannot sync folders, and some folders may
/// not be read; that is no error.
std::optional<std::string> sync_folder(const std::string& path) {
  const Descriptor folder = open_file(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool is_synced = folder.is_open() && uninterrupted([&] { return ::fsync(folder.get()); }) == 0;
  if (is_synced || (errno != EIO && errno != ENOSPC)) return std::nullopt;
  return error_text(errno) + " (the file is in its place, but may be lost if the machine stops now)";
}

/// Renames and makes it last; nullopt or what went wrong.
std::optional<std::string> rename_synced(const std::string& from, const std::string& to) {
  if (uninterrupted([&] { return ::rename(from.c_str(), to.c_str()); }) != 0) return error_text(errno);
  return sync_folder(folder_of(to));
}

template <class Bytes>
std::optional<Bytes> read_as(const FileRequest& request, Diagnostics& diagnostics) {
  const std::optional<Descriptor> file = open_regular(request, diagnostics);
  if (!file) return std::nullopt;
  Bytes bytes;
  if (read_all(file->get(), bytes)) return bytes;
  report_unreadable(request, error_text(errno), diagnostics);
  return std::nullopt;
}

}  // namespace

void explain_missing(const FileRequest& request, Report& report) {
  if (request.name() != request.path) report.note(fmt::format("it was looked for as `{}`", request.path));
  const std::filesystem::path path(request.path);
  const std::filesystem::path folder = folder_of(request.path);
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) {
    report.note(fmt::format("there is no folder `{}`", folder.string()));
    return;
  }
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::filesystem::path& found = at->path();
    if (found.extension() == path.extension()) names.push_back(found.filename().string());
  }
  std::sort(names.begin(), names.end());
  const auto near = nearest_name(path.filename().string(), names);
  if (near) report.note(fmt::format("did you mean `{}`?", *near));
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

bool Descriptor::close() {
  return ::close(std::exchange(fd_, -1)) == 0 || errno == EINTR;
}

Descriptor open_file(const std::string& path, int flags) {
  constexpr mode_t kMode = 0644;
  return Descriptor(uninterrupted([&] { return ::open(path.c_str(), flags, kMode); }));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::optional<Descriptor> open_regular(const FileRequest& request, Diagnostics& diagnostics) {
  const auto unreadable = [&](const std::string& reason) {
    report_unreadable(request, reason, diagnostics);
    return std::nullopt;
  };
  // Without O_NONBLOCK, opening a named pipe waits for a writer.
  Descriptor file = open_file(request.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (!file.is_open() && (errno == ENOENT || errno == ENOTDIR)) {
    Report report = diagnostics.report(request.range, kMissing, request.name());
    explain_missing(request, report);
    return std::nullopt;
  }
  if (!file.is_open()) return unreadable(error_text(errno));
  struct stat info = {};
  if (::fstat(file.get(), &info) != 0) return unreadable(error_text(errno));
  if (const char* kind = kind_text(info.st_mode)) return unreadable(kind);
  return file;
}

void report_unreadable(const FileRequest& request, const std::string& reason, Diagnostics& diagnostics) {
  diagnostics.report(request.range, kUnreadable, request.name(), reason);
}

std::optional<std::string> read_file(const FileRequest& request, Diagnostics& diagnostics) {
  return read_as<std::string>(request, diagnostics);
}

std::optional<AlignedBytes> read_aligned(const FileRequest& request, Diagnostics& diagnostics) {
  return read_as<AlignedBytes>(request, diagnostics);
}

bool write_file(const FileRequest& request, std::string_view bytes, Diagnostics& diagnostics) {
  return write_file(
      request, [&](const TakeBytes& take) { return take(bytes); }, diagnostics);
}

bool write_file(const FileRequest& request, const Content& content, Diagnostics& diagnostics) {
  const std::string temporary = fmt::format("{}.{}{}", request.path, ::getpid(), kTemporary);
  // A file of this name can only be left over from a process that had our number and died.
  ::unlink(temporary.c_str());
  std::optional<std::string> reason = write_new(temporary, content);
  if (!reason) reason = rename_synced(temporary, request.path);
  if (!reason) return true;
  ::unlink(temporary.c_str());
  diagnostics.report(request.range, kNotWritten, request.name(), *reason);
  return false;
}

bool has_temporary_name(const std::filesystem::path& path) {
  const std::string process = path.stem().extension().string();
  return path.extension() == kTemporary && process.size() > 1 &&
         process.find_first_not_of("0123456789", 1) == std::string::npos;
}

bool rename_file(const std::string& from, const FileRequest& to, Diagnostics& diagnostics) {
  const std::optional<std::string> reason = rename_synced(from, to.path);
  if (!reason) return true;
  diagnostics.report(to.range, kNotWritten, to.name(), *reason);
  return false;
}

}  // namespace dlg
