// Owns patterns that name files of a folder: `train/*/*.png`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/files.h"

namespace dlg {

/// A file that fits a pattern.
struct FoundFile {
  std::string path;        // as the pattern is written: relative to its folder, or absolute
  bool has_links = false;  // some part of it that the pattern does not spell out is a symbolic link
};

/// Whether a name fits a pattern without `/`: `*` stands for any characters, `?` for one. A point at the
/// front of a name is written out.
bool fits_pattern(std::string_view name, std::string_view pattern);

/// The same for a path and a pattern of several parts.
bool fits_path(std::string_view path, std::string_view pattern);

/// The files below `folder` that fit `pattern.shown`, sorted by the bytes of their paths, whatever order the
/// file system has them in. Nothing is opened but folders. Errors: a folder that cannot be read (exit 3).
std::optional<std::vector<FoundFile>> find_files(const std::string& folder, const FileRequest& pattern,
                                                 Diagnostics& diagnostics);

}  // namespace dlg
