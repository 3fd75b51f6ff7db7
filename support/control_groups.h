// Owns the way to the limits that control groups (both versions) set for this process.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

namespace dlg {

enum class GroupVersion : std::uint8_t { kOne, kTwo };

/// A folder with the limits of one group.
using GroupVisitor = std::function<void(const std::filesystem::path& folder, GroupVersion version)>;

/// Shows the groups of the process and all above them, in the tree `root` that has its `proc` and `sys`: of
/// version 2, and of version 1 those of `controller` ("memory", "cpu"). A folder may be missing: a container
/// sees only a part of the way.
void visit_control_groups(const std::filesystem::path& root, std::string_view controller,
                          const GroupVisitor& visit);

}  // namespace dlg
