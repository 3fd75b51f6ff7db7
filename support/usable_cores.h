// Owns how many cores a process may use: those it is bound to, as far as its control groups pay for them.
#pragma once

#include <filesystem>

namespace dlg {

/// At least 1. More threads than that wait for each other.
int usable_cores();

/// Whole cores that the control groups of a process allow, in the tree `root` that has its `proc` and `sys`;
/// the largest number without any. Of version 2 that is the least quotient of the two numbers in `cpu.max` on
/// the way to the root, of version 1 that of `cpu.cfs_quota_us` and `cpu.cfs_period_us`; at least 1.
int control_group_cores(const std::filesystem::path& root);

}  // namespace dlg
