// Owns where the data files of a program may lie.
#pragma once

#include <optional>
#include <string>

#include "driver/cli/session.h"
#include "runtime/files.h"

namespace dlg {

/// A file as the program or the command line names it, and the setting or field it is for: `digits.file`.
struct DataPath {
  std::string written;
  std::string key;
  SourceRange range;
};

/// The request to read it: relative to the program's folder and inside of it, links followed. What `--set`
/// names may lie anywhere. Errors: outside of the folder.
std::optional<FileRequest> data_request(Session& session, const DataPath& path);

}  // namespace dlg
