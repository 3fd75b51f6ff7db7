#include "runtime/file_pattern.h"

#include <algorithm>
#include <filesystem>

#include "support/text.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

bool is_plain(std::string_view part) {
  return part.find_first_of("*?") == std::string_view::npos;
}

std::string joined(const std::string& before, std::string_view name) {
  const bool needs_slash = !before.empty() && !before.ends_with('/');
  return before + (needs_slash ? "/" : "") + std::string(name);
}

/// Finds the files of one pattern, a part of it after the other.
class PatternSearch {
 public:
  PatternSearch(const std::string& folder, const FileRequest& pattern, Diagnostics& diagnostics)
      : folder_(folder), pattern_(pattern), diagnostics_(diagnostics) {}

  std::optional<std::vector<FoundFile>> run() {
    std::string_view rest = pattern_.name();
    std::vector<FoundFile> found{{rest.starts_with('/') ? "/" : "", false}};
    while (rest.starts_with('/')) rest.remove_prefix(1);
    bool is_spelled_out = true;
    for (const std::string_view part : split_text(rest, '/')) {
      is_spelled_out = is_spelled_out && is_plain(part);
      std::vector<FoundFile> next;
      for (const FoundFile& before : found) {
        if (is_spelled_out) next.push_back({joined(before.path, part), false});
        if (!is_spelled_out && !add_fitting(before, part, next)) return std::nullopt;
      }
      found = std::move(next);
    }
    std::sort(found.begin(), found.end(),
              [](const FoundFile& a, const FoundFile& b) { return a.path < b.path; });
    return found;
  }

 private:
  /// What lies in the folder `before` and fits. A file that stands where a folder is asked for does not fit.
  bool add_fitting(const FoundFile& before, std::string_view part, std::vector<FoundFile>& next) {
    std::error_code error;
    const fs::path below = fs::path(folder_) / before.path;
    const fs::path folder = below.empty() ? "." : below;
    if (!fs::is_directory(folder, error)) return true;
    for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      const std::string name = at->path().filename().string();
      std::error_code no_kind;
      if (!fits_pattern(name, part)) continue;
      next.push_back({joined(before.path, name), before.has_links || at->is_symlink(no_kind)});
    }
    if (!error) return true;
    report_unreadable({folder.string(), before.path, pattern_.range}, error.message(), diagnostics_);
    return false;
  }

  const std::string& folder_;
  const FileRequest& pattern_;
  Diagnostics& diagnostics_;
};

}  // namespace

bool fits_pattern(std::string_view name, std::string_view pattern) {
  if (name.starts_with('.') && !pattern.starts_with('.')) return false;
  // Where the last `*` stands, and what of the name it was tried to leave to what follows it.
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  std::size_t n = 0;
  std::size_t p = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  return pattern.substr(p).find_first_not_of('*') == std::string_view::npos;
}

bool fits_path(std::string_view path, std::string_view pattern) {
  const std::vector<std::string_view> names = split_text(path, '/');
  const std::vector<std::string_view> parts = split_text(pattern, '/');
  return std::equal(names.begin(), names.end(), parts.begin(), parts.end(), fits_pattern);
}

std::optional<std::vector<FoundFile>> find_files(const std::string& folder, const FileRequest& pattern,
                                                 Diagnostics& diagnostics) {
  return PatternSearch(folder, pattern, diagnostics).run();
}

}  // namespace dlg
