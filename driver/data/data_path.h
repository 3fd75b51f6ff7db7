// Owns where the data files of a program may lie.
#pragma once

#include <optional>
#include <string>
#include <vector>

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

/// The same for all files that fit a pattern, `train/*/*.png`, sorted by their paths. Errors: a pattern or a
/// file outside of the folder, a link of it included, a pattern that no file fits, `**`.
std::optional<std::vector<FileRequest>> pattern_requests(Session& session, const DataPath& pattern);

}  // namespace dlg
