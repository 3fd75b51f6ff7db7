#include "support/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string>

#include "support/arithmetic.h"
#include "support/text.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

std::int64_t machine_memory() {
  const std::int64_t pages = ::sysconf(_SC_PHYS_PAGES);
  const std::int64_t bytes = ::sysconf(_SC_PAGESIZE);
  return checked_mul(pages, bytes).value_or(kNoLimit);
}

std::int64_t own_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kNoLimit;
  return static_cast<std::int64_t>(std::min<rlim_t>(limit.rlim_cur, static_cast<rlim_t>(kNoLimit)));
}

/// The number in a file; no limit where there is no file, or the word `max`.
std::int64_t limit_in(const fs::path& file) {
  std::ifstream stream(file);
  std::string word;
  if (!(stream >> word)) return kNoLimit;
  std::int64_t bytes = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), bytes);
  return result.ec == std::errc() && bytes > 0 ? bytes : kNoLimit;
}

/// The least limit of a group and of all above it. A container may see only a part of the way.
std::int64_t least_limit(const fs::path& mount, fs::path group, std::string_view file) {
  std::int64_t least = limit_in(mount / file);
  for (; group.has_relative_path(); group = group.parent_path()) {
    least = std::min(least, limit_in(mount / group.relative_path() / file));
  }
  return least;
}

bool has_controller(std::string_view controllers, std::string_view wanted) {
  const std::vector<std::string_view> all = split_text(controllers, ',');
  return std::find(all.begin(), all.end(), wanted) != all.end();
}

}  // namespace

std::int64_t control_group_limit(const fs::path& root) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::ifstream groups(root / "proc/self/cgroup");
  std::int64_t least = kNoLimit;
  // A line is `number:controllers:path`; version 2 has no controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) least = std::min(least, least_limit(mount, group, "memory.max"));
    if (!has_controller(controllers, "memory")) continue;
    least = std::min(least, least_limit(mount / "memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

std::int64_t memory_limit() {
  return std::min({machine_memory(), control_group_limit("/"), own_limit()});
}

}  // namespace dlg
