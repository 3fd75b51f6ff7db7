#include "support/control_groups.h"

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "support/text.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

bool has_controller(std::string_view controllers, std::string_view wanted) {
  const std::vector<std::string_view> all = split_text(controllers, ',');
  return std::find(all.begin(), all.end(), wanted) != all.end();
}

void visit_way(const fs::path& mount, fs::path group, GroupVersion version, const GroupVisitor& visit) {
  visit(mount, version);
  for (; group.has_relative_path(); group = group.parent_path()) {
    visit(mount / group.relative_path(), version);
  }
}

}  // namespace

void visit_control_groups(const fs::path& root, std::string_view controller, const GroupVisitor& visit) {
  const fs::path mount = root / "sys/fs/cgroup";
  std::ifstream groups(root / "proc/self/cgroup");
  // A line is `number:controllers:path`; version 2 has no controllers.
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) visit_way(mount, group, GroupVersion::kTwo, visit);
    if (has_controller(controllers, controller)) {
      visit_way(mount / controller, group, GroupVersion::kOne, visit);
    }
  }
}

}  // namespace dlg
