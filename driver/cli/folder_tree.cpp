#include "driver/cli/folder_tree.h"

#include <algorithm>

namespace dlg {
namespace {

namespace fs = std::filesystem;

bool is_within(const fs::path& path, const fs::path& folder) {
  const auto [end, rest] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end() || end->empty();
}

}  // namespace

std::optional<Outside> outside_of(const fs::path& folder, const fs::path& written) {
  if (written.is_absolute()) return Outside::kAbsolute;
  if (*written.lexically_normal().begin() == "..") return Outside::kAbove;
  std::error_code no_home;
  std::error_code no_target;
  // Absolute: of a relative path with nothing that exists, the canonical one would be relative too.
  const fs::path home = fs::weakly_canonical(fs::absolute(folder.empty() ? "." : folder, no_home), no_home);
  const fs::path target = fs::weakly_canonical(home / written, no_target);
  if (no_home || no_target || is_within(target, home)) return std::nullopt;
  return Outside::kLink;
}

}  // namespace dlg
