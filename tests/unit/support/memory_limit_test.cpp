// Owns the tests of how much memory a process may use.
#include "support/memory_limit.h"

#include <sys/resource.h>

#include <limits>

#include "tests/catch.h"
#include "tests/unit/support/group_tree.h"

namespace dlg {
namespace {

std::int64_t limit_of(const GroupTree& tree) {
  return control_group_limit(tree.root());
}

constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("without control groups there is no limit of theirs") {
  const GroupTree tree;
  CHECK(limit_of(tree) == kNone);
}

TEST_CASE("the least limit on the way of a control group decides") {
  const GroupTree tree;
  tree.write("proc/self/cgroup", "0::/jobs/one\n");
  tree.write("sys/fs/cgroup/jobs/one/memory.max", "max\n");
  CHECK(limit_of(tree) == kNone);
  tree.write("sys/fs/cgroup/jobs/memory.max", "3000000000\n");
  CHECK(limit_of(tree) == 3000000000);
  tree.write("sys/fs/cgroup/jobs/one/memory.max", "2000000000\n");
  CHECK(limit_of(tree) == 2000000000);
  tree.write("sys/fs/cgroup/other/memory.max", "1\n");
  CHECK(limit_of(tree) == 2000000000);
}

TEST_CASE("a container that sees only its own group has that group's limit") {
  const GroupTree tree;
  tree.write("proc/self/cgroup", "0::/somewhere/else\n");
  tree.write("sys/fs/cgroup/memory.max", "1500000000\n");
  CHECK(limit_of(tree) == 1500000000);
}

TEST_CASE("the memory controller of version 1 counts, and no other") {
  const GroupTree tree;
  tree.write("proc/self/cgroup", "5:devices:/a\n4:cpu,memory:/a/b\n0::/\nnonsense\n");
  tree.write("sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "9223372036854771712\n");
  tree.write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1234567\n");
  tree.write("sys/fs/cgroup/devices/a/memory.limit_in_bytes", "1\n");
  CHECK(limit_of(tree) == 1234567);
}

// The sanitizer has terabytes of address space, so it gets no further page while the limit stands.
#ifndef __SANITIZE_ADDRESS__
TEST_CASE("the limit of the process counts") {
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_AS, &before) == 0);
  const std::int64_t whole = memory_limit();
  CHECK(whole > 0);
  rlimit less = before;
  less.rlim_cur = static_cast<rlim_t>(whole) / 2;
  REQUIRE(setrlimit(RLIMIT_AS, &less) == 0);
  const std::int64_t limited = memory_limit();
  REQUIRE(setrlimit(RLIMIT_AS, &before) == 0);
  CHECK(limited == whole / 2);
}
#endif

}  // namespace dlg
