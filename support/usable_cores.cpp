#include "support/usable_cores.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "support/control_groups.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr int kNoLimit = std::numeric_limits<int>::max();

/// Cores of the affinity mask; one where it cannot be read.
int bound_cores() {
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
  return CPU_COUNT(&cores);
}

/// Microseconds of time in each period, and the period. A quota that is no number (`max`) or none (-1) sets
/// no limit.
int whole_cores(std::istream& quota, std::istream& period) {
  double used = 0;
  double all = 0;
  if (!(quota >> used) || used <= 0) return kNoLimit;
  if (!(period >> all) || all <= 0) return kNoLimit;
  return static_cast<int>(std::clamp(used / all, 1.0, 1e6));
}

}  // namespace

int control_group_cores(const fs::path& root) {
  int least = kNoLimit;
  visit_control_groups(root, "cpu", [&](const fs::path& folder, GroupVersion version) {
    if (version == GroupVersion::kTwo) {
      std::ifstream both(folder / "cpu.max");
      least = std::min(least, whole_cores(both, both));
    } else {
      std::ifstream quota(folder / "cpu.cfs_quota_us");
      std::ifstream period(folder / "cpu.cfs_period_us");
      least = std::min(least, whole_cores(quota, period));
    }
  });
  return least;
}

int usable_cores() {
  return std::max(1, std::min(bound_cores(), control_group_cores("/")));
}

}  // namespace dlg
