// Owns reading and writing whole files: every way to fail becomes a diagnostic, and no file is ever half
// written.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/content.h"
#include "runtime/memory.h"
#include "support/diagnostic.h"

namespace dlg {

/// An open file that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  /// Closes now; a file system may report a failed write only here.
  bool close();

 private:
  int fd_;
};

/// open(2), again after a signal; not open: errno says why. A new file is readable by all, writable by its
/// owner.
Descriptor open_file(const std::string& path, int flags);

/// Writes all of it, again after a signal; errno says why not.
bool write_all(int fd, std::string_view bytes);

/// A file to read or write: the path to open, the name that messages show, and the place in the program text
/// that asked for it (invalid: the command line).
struct FileRequest {
  std::string path;
  std::string shown;  // as the user wrote it; empty: `path`
  SourceRange range;

  const std::string& name() const { return shown.empty() ? path : shown; }
};

/// Notes what may have been meant by the name of a missing file: a similar one beside it, or that its folder
/// is missing.
void explain_missing(const FileRequest& request, Report& report);

/// Opens a regular file to read it. A missing file, a folder, a device and a refused opening are diagnostics
/// of the environment (exit 3).
std::optional<Descriptor> open_regular(const FileRequest& request, Diagnostics& diagnostics);

/// Reports that an open file cannot be read to its end (exit 3).
void report_unreadable(const FileRequest& request, const std::string& reason, Diagnostics& diagnostics);

/// The bytes of a regular file. A missing file, a folder, a device and a refused or failing read are
/// diagnostics of the environment (exit 3).
std::optional<std::string> read_file(const FileRequest& request, Diagnostics& diagnostics);

/// The same where the bytes begin at a multiple of 64.
std::optional<AlignedBytes> read_aligned(const FileRequest& request, Diagnostics& diagnostics);

/// Replaces the file in one step: writes a new file beside it, syncs it, reads it back, compares, renames it
/// over the old one and syncs the folder. Before the rename the old file is untouched; after a failure
/// nothing is left over. Answers whether it worked; otherwise there is a diagnostic (exit 3).
bool write_file(const FileRequest& request, std::string_view bytes, Diagnostics& diagnostics);
bool write_file(const FileRequest& request, const Content& content, Diagnostics& diagnostics);

/// Whether a file has a name that `write_file` gives to new files: `NAME.PROCESS.tmp`. Between two calls such
/// a file is left over from a process that was killed.
bool has_temporary_name(const std::filesystem::path& path);

/// Puts a whole file of the same folder into the place of another and syncs the folder. Errors: exit 3.
bool rename_file(const std::string& from, const FileRequest& to, Diagnostics& diagnostics);

}  // namespace dlg
