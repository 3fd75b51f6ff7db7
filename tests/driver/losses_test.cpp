// Owns the proof that the losses of std are PyTorch's: values and gradients that it gave are stored beside
// the script that asked for them, in tests/losses/.
#include <algorithm>
#include <filesystem>
#include <vector>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

std::vector<std::string> stored_programs(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(source_path(folder))) {
    if (entry.path().extension() == ".dlg") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void check_all(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    const Called called = call_dlg({"check", file, "--no-cache"});
    INFO(file << called.err << called.out);
    CHECK(called.exit_code == 0);
  }
}

TEST_CASE("losses and their gradients are those that PyTorch gave") {
  const std::vector<std::string> files = stored_programs("tests/losses");
  CHECK(files.size() >= 14);
  check_all(files);
}

TEST_CASE("trainings with weights of samples are those that PyTorch made") {
  const std::vector<std::string> files = stored_programs("tests/losses/weighted");
  CHECK(files.size() == 16);
  check_all(files);
}

}  // namespace
