// Owns the tests of how many cores a process may use.
#include "support/usable_cores.h"

#include <sched.h>

#include <limits>

#include "tests/catch.h"
#include "tests/unit/support/group_tree.h"

namespace dlg {
namespace {

constexpr int kNone = std::numeric_limits<int>::max();

TEST_CASE("without control groups all cores are usable") {
  const GroupTree tree;
  CHECK(control_group_cores(tree.root()) == kNone);
}

TEST_CASE("the least share of the cores on the way of a control group decides") {
  const GroupTree tree;
  tree.write("proc/self/cgroup", "0::/jobs/one\n");
  tree.write("sys/fs/cgroup/jobs/one/cpu.max", "max 100000\n");
  CHECK(control_group_cores(tree.root()) == kNone);
  tree.write("sys/fs/cgroup/jobs/cpu.max", "450000 100000\n");
  CHECK(control_group_cores(tree.root()) == 4);
  tree.write("sys/fs/cgroup/jobs/one/cpu.max", "50000 100000\n");
  CHECK(control_group_cores(tree.root()) == 1);
  tree.write("sys/fs/cgroup/jobs/one/cpu.max", "nonsense\n");
  CHECK(control_group_cores(tree.root()) == 4);
}

TEST_CASE("the share of version 1 is in two files") {
  const GroupTree tree;
  tree.write("proc/self/cgroup", "4:cpu,cpuacct:/a/b\n3:memory:/c\n");
  tree.write("sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us", "-1\n");
  tree.write("sys/fs/cgroup/cpu/a/b/cpu.cfs_period_us", "100000\n");
  CHECK(control_group_cores(tree.root()) == kNone);
  tree.write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "300000\n");
  tree.write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
  CHECK(control_group_cores(tree.root()) == 3);
}

TEST_CASE("the cores that a process is bound to count") {
  cpu_set_t before;
  REQUIRE(sched_getaffinity(0, sizeof before, &before) == 0);
  CHECK(usable_cores() <= CPU_COUNT(&before));
  int core = 0;
  while (!CPU_ISSET(core, &before)) ++core;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(core, &one);
  REQUIRE(sched_setaffinity(0, sizeof one, &one) == 0);
  const int usable = usable_cores();
  REQUIRE(sched_setaffinity(0, sizeof before, &before) == 0);
  CHECK(usable == 1);
}

}  // namespace
}  // namespace dlg
