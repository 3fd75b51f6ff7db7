#include "driver/data_path.h"

#include <algorithm>
#include <filesystem>

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr Diag<std::string, std::string> kOutside{DiagCode::DataOutsideFolder, Severity::kError,
                                                  "`{}` lies outside of the program's folder: {}"};

bool is_set_on_command_line(const Session& session, const std::string& key) {
  const std::vector<Override>& sets = session.options.overrides;
  return std::any_of(sets.begin(), sets.end(), [&](const Override& set) { return set.key == key; });
}

bool is_within(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end() || end->empty();
}

/// Why the file is none of the program's folder; nullopt: it is.
std::optional<std::string> reason_outside(const fs::path& written, const fs::path& folder) {
  if (written.is_absolute()) return "the path is absolute";
  if (*written.lexically_normal().begin() == "..") return "the path leaves the folder";
  std::error_code error;
  const fs::path home = fs::weakly_canonical(folder.empty() ? "." : folder, error);
  const fs::path target = fs::weakly_canonical(home / written, error);
  // What cannot be resolved cannot be opened either; reading it will say why.
  if (error || is_within(target, home)) return std::nullopt;
  return "it is a link that leaves the folder";
}

}  // namespace

std::optional<FileRequest> data_request(Session& session, const DataPath& path) {
  const fs::path folder = program_folder(session);
  const FileRequest request{(folder / path.written).string(), path.written, path.range};
  const bool is_free = path.written.empty() || is_set_on_command_line(session, path.key);
  const std::optional<std::string> reason = is_free ? std::nullopt : reason_outside(path.written, folder);
  if (!reason) return request;
  session.diagnostics.report(path.range, kOutside, path.written, *reason)
      .note(fmt::format("move it there, or name it on the command line: `--set {}=...`", path.key));
  return std::nullopt;
}

}  // namespace dlg
