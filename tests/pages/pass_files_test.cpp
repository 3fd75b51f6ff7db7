// Owns the rule that every pass has file tests: a folder of its name in tests/golden/passes with some files,
// each of which runs the pass and says what it shows.
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "driver/cli/stages.h"
#include "support/text.h"
#include "tests/catch.h"
#include "tests/source_dir.h"

namespace dlg {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFewestFiles = 3;
/// What makes a stage and is no pass from IR to IR: the frontend, and what LLVM does.
constexpr std::array<std::string_view, 4> kNoPasses{"parse", "check", "llvm", "object"};

/// The passes of graphs and loops, from the table that `dlg show` and `dlg-opt` derive from.
std::vector<ShownStage> passes() {
  std::vector<ShownStage> stages = shown_stages();
  std::erase_if(stages, [](const ShownStage& stage) {
    return std::find(kNoPasses.begin(), kNoPasses.end(), stage.made_by) != kNoPasses.end();
  });
  return stages;
}

fs::path folder_of(std::string_view pass) {
  return fs::path(test::source_dir()) / "tests/golden/passes" / pass;
}

std::vector<fs::path> files_of(std::string_view pass) {
  std::vector<fs::path> files;
  if (!fs::exists(folder_of(pass))) return files;
  for (const auto& entry : fs::directory_iterator(folder_of(pass))) {
    if (entry.path().extension() == ".golden") files.push_back(entry.path());
  }
  return files;
}

/// Whether a command runs the pass: `dlg-opt -p PASS,PASS`, or `dlg show --stage STAGE`.
bool runs(std::string_view command, const ShownStage& pass) {
  const std::vector<std::string_view> words = split_text(command, ' ');
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::vector<std::string_view> listed = split_text(words[i + 1], ',');
    if (words[i] == "-p" && std::find(listed.begin(), listed.end(), pass.made_by) != listed.end())
      return true;
    if (words[i] == "--stage" && words[i + 1] == pass.name) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("every pass has file tests") {
  CHECK(passes().size() >= 9);
  for (const ShownStage& pass : passes()) {
    INFO("tests/golden/passes/" << pass.made_by);
    CHECK(files_of(pass.made_by).size() >= kFewestFiles);
  }
}

TEST_CASE("every file test of a pass says what it shows, and runs the pass") {
  for (const ShownStage& pass : passes()) {
    for (const fs::path& path : files_of(pass.made_by)) {
      INFO(path.string());
      std::ifstream lines(path);
      std::string line;
      std::getline(lines, line);
      CHECK(line.starts_with("# SHOWS: "));
      bool is_run = false;
      while (std::getline(lines, line)) is_run |= line.starts_with("# RUN: ") && runs(line, pass);
      CHECK(is_run);
    }
  }
}

TEST_CASE("every folder of file tests is one of a pass") {
  const std::vector<ShownStage> all = passes();
  for (const auto& entry : fs::directory_iterator(folder_of(""))) {
    const std::string name = entry.path().filename().string();
    INFO(name);
    CHECK(std::any_of(all.begin(), all.end(), [&](const ShownStage& pass) { return pass.made_by == name; }));
  }
}

}  // namespace dlg
