#include "support/memory_limit.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string>

#include "support/arithmetic.h"
#include "support/control_groups.h"

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

}  // namespace

std::int64_t control_group_limit(const fs::path& root) {
  std::int64_t least = kNoLimit;
  visit_control_groups(root, "memory", [&](const fs::path& folder, GroupVersion version) {
    const bool is_second = version == GroupVersion::kTwo;
    least = std::min(least, limit_in(folder / (is_second ? "memory.max" : "memory.limit_in_bytes")));
  });
  return least;
}

std::int64_t memory_limit() {
  return std::min({machine_memory(), control_group_limit("/"), own_limit()});
}

}  // namespace dlg
