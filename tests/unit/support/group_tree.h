// Owns a tree of control groups for tests.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/catch.h"

namespace dlg {

/// A tree with `proc` and `sys` of its own, as long as it lives.
class GroupTree {
 public:
  GroupTree() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dlg-groups-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
  }
  ~GroupTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  GroupTree(const GroupTree&) = delete;
  GroupTree& operator=(const GroupTree&) = delete;

  void write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

}  // namespace dlg
