#include "driver/data/data_path.h"

#include <algorithm>
#include <array>

#include "driver/cli/folder_tree.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr Diag<std::string, std::string> kOutside{DiagCode::DataOutsideFolder, Severity::kError,
                                                  "`{}` lies outside of the program's folder: {}"};

bool is_set_on_command_line(const Session& session, const std::string& key) {
  const std::vector<Override>& sets = session.file_options.overrides;
  return std::any_of(sets.begin(), sets.end(), [&](const Override& set) { return set.key == key; });
}

/// Indexed by Outside.
constexpr std::array<std::string_view, 3> kReasons{"the path is absolute", "the path leaves the folder",
                                                   "it is a link that leaves the folder"};

}  // namespace

std::optional<FileRequest> data_request(Session& session, const DataPath& path) {
  const fs::path folder = program_folder(session);
  const FileRequest request{(folder / path.written).string(), path.written, path.range};
  const bool is_free = path.written.empty() || is_set_on_command_line(session, path.key);
  const std::optional<Outside> outside = is_free ? std::nullopt : outside_of(folder, path.written);
  if (!outside) return request;
  const std::string reason(kReasons[static_cast<std::size_t>(*outside)]);
  session.diagnostics.report(path.range, kOutside, path.written, reason)
      .note(fmt::format("move it there, or name it on the command line: `--set {}=...`", path.key));
  return std::nullopt;
}

}  // namespace dlg
