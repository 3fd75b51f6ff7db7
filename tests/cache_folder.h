// Owns the cache of objects that a test has for itself.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace dlg::testing {

/// A folder that goes away with the test; while it lives, DLG_CACHE_DIR names `cache` in it.
class CacheFolder {
 public:
  CacheFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "dlg-cache-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    ::setenv("DLG_CACHE_DIR", path().c_str(), 1);
  }
  ~CacheFolder() {
    ::setenv("DLG_CACHE_DIR", "", 1);
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;

  std::string root() const { return root_; }
  std::string path() const { return root_ + "/cache"; }

  std::vector<std::filesystem::path> entries() const {
    std::vector<std::filesystem::path> found;
    if (!std::filesystem::exists(path())) return found;
    for (const auto& entry : std::filesystem::directory_iterator(path())) found.push_back(entry.path());
    return found;
  }
  std::filesystem::path only_entry() const {
    REQUIRE(entries().size() == 1);
    return entries().front();
  }

 private:
  std::string root_;
};

inline std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void put(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace dlg::testing
