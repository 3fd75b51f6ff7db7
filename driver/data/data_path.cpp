#include "driver/data/data_path.h"

#include <algorithm>
#include <array>

#include "driver/cli/folder_tree.h"
#include "runtime/file_pattern.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr Diag<std::string, std::string> kOutside{DiagCode::DataOutsideFolder, Severity::kError,
                                                  "`{}` lies outside of the program's folder: {}"};

constexpr Diag<std::string> kNoFile{DiagCode::ImageFiles, Severity::kError, "no file fits `{}`"};
constexpr Diag<std::string> kTwoStars{DiagCode::ImageFiles, Severity::kError,
                                      "`{}` has `**`, expected a `*` for each folder: `train/*/*.png`"};

bool is_set_on_command_line(const Session& session, const std::string& key) {
  const std::vector<Override>& sets = session.file_options.overrides;
  return std::any_of(sets.begin(), sets.end(), [&](const Override& set) { return set.key == key; });
}

/// Indexed by Outside.
constexpr std::array<std::string_view, 3> kReasons{"the path is absolute", "the path leaves the folder",
                                                   "it is a link that leaves the folder"};

/// The program's own text may name what lies in its folder; what is set on the command line may be any file.
bool is_free(const Session& session, const DataPath& path) {
  return path.written.empty() || is_set_on_command_line(session, path.key);
}

/// Whether the program may name this file; reports it if not.
bool is_inside(Session& session, const DataPath& path, const std::string& written) {
  if (is_free(session, path)) return true;
  const std::optional<Outside> outside = outside_of(program_folder(session), written);
  if (!outside) return true;
  const std::string reason(kReasons[static_cast<std::size_t>(*outside)]);
  session.diagnostics.report(path.range, kOutside, written, reason)
      .note(fmt::format("move it there, or name it on the command line: `--set {}=...`", path.key));
  return false;
}

}  // namespace

std::optional<FileRequest> data_request(Session& session, const DataPath& path) {
  if (!is_inside(session, path, path.written)) return std::nullopt;
  const fs::path folder = program_folder(session);
  return FileRequest{(folder / path.written).string(), path.written, path.range};
}

std::optional<std::vector<FileRequest>> pattern_requests(Session& session, const DataPath& pattern) {
  if (pattern.written.find("**") != std::string::npos) {
    session.diagnostics.report(pattern.range, kTwoStars, pattern.written);
    return std::nullopt;
  }
  const std::optional<FileRequest> request = data_request(session, pattern);
  if (!request) return std::nullopt;
  const fs::path folder = program_folder(session);
  const std::optional<std::vector<FoundFile>> found =
      find_files(folder.string(), *request, session.diagnostics);
  if (!found) return std::nullopt;
  std::vector<FileRequest> files;
  for (const FoundFile& file : *found) {
    if (file.has_links && !is_inside(session, pattern, file.path)) return std::nullopt;
    files.push_back({(folder / file.path).string(), file.path, pattern.range});
  }
  if (!files.empty()) return files;
  session.diagnostics.report(pattern.range, kNoFile, pattern.written)
      .note(fmt::format("it was looked for as `{}`", request->path));
  return std::nullopt;
}

}  // namespace dlg
