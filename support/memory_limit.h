// Owns how much memory a process may use: the least of what the machine has, what its control groups allow
// it, and what its own limit says.
#pragma once

#include <cstdint>
#include <filesystem>

namespace dlg {

/// Bytes. Systems hand out more than they have and kill whoever uses it, so what is needed is compared with
/// this before any of it is taken.
std::int64_t memory_limit();

/// What the control groups of a process allow, in the tree that has its `proc` and `sys`; the largest number
/// without any. Of version 2 that is the least `memory.max` on the way of `/proc/self/cgroup` to the root, of
/// version 1 the least `memory.limit_in_bytes` of the memory controller.
std::int64_t control_group_limit(const std::filesystem::path& root);

}  // namespace dlg
