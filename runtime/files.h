// Owns reading and writing whole files: every way to fail becomes a diagnostic, and no file is ever half
// written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "support/diagnostic.h"

namespace dlg {

/// A file to read or write: the path to open, the name that messages show, and the place in the program text
/// that asked for it (invalid: the command line).
struct FileRequest {
  std::string path;
  std::string shown;  // as the user wrote it; empty: `path`
  SourceRange range;

  const std::string& name() const { return shown.empty() ? path : shown; }
};

/// The bytes of a regular file. A missing file, a folder, a device and a refused or failing read are
/// diagnostics of the environment (exit 3).
std::optional<std::string> read_file(const FileRequest& request, Diagnostics& diagnostics);

/// Replaces the file in one step: writes a new file beside it, syncs it, reads it back, compares, renames it
/// over the old one and syncs the folder. Before the rename the old file is untouched; after a failure
/// nothing is left over. Answers whether it worked; otherwise there is a diagnostic (exit 3).
bool write_file(const FileRequest& request, std::string_view bytes, Diagnostics& diagnostics);

}  // namespace dlg
