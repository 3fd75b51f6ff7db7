// Owns the tests of patterns that name files.
#include "runtime/file_pattern.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

TEST_CASE("file pattern: a star stands for any characters, a question mark for one") {
  CHECK(fits_pattern("a.png", "*.png"));
  CHECK(fits_pattern("a.png.png", "*.png"));
  CHECK(fits_pattern("a.png", "?.png"));
  CHECK(fits_pattern("abcabd", "a*abd"));
  CHECK(fits_pattern("", "*"));
  CHECK_FALSE(fits_pattern("a.PNG", "*.png"));
  CHECK_FALSE(fits_pattern("ab.png", "?.png"));
  CHECK_FALSE(fits_pattern("a.png", "a.pn"));
  CHECK_FALSE(fits_pattern("a.pn", "a.png"));
  CHECK_FALSE(fits_pattern(".hidden.png", "*.png"));
  CHECK(fits_pattern(".hidden.png", ".*.png"));
  CHECK(fits_path("train/cat/1.png", "train/*/*.png"));
  CHECK_FALSE(fits_path("train/1.png", "train/*/*.png"));
  CHECK_FALSE(fits_path("train/cat/x/1.png", "train/*/*.png"));
}

TEST_CASE("file pattern: many stars take no longer than their product") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  CHECK_FALSE(fits_pattern(std::string(5000, 'a') + "b", pattern));
}

TEST_CASE("file pattern: files are sorted by their paths, links are told") {
  namespace fs = std::filesystem;
  const TestFolder folder;
  for (const char* name : {"train/cat", "train/ant", "other/ant", "train/.git"})
    fs::create_directories(folder / name);
  for (const char* name : {"train/cat/2.png", "train/cat/1.png", "train/ant/9.png", "train/ant/x.txt",
                           "train/7.png", "train/.git/1.png", "other/ant/3.png"}) {
    put_file(folder / name, "");
  }
  fs::create_symlink("../../other/ant/3.png", folder / "train/ant/link.png");
  fs::create_directory_symlink("../other/ant", folder / "train/far");
  Diagnostics diagnostics;
  const auto files = find_files(folder.path(), {"", "train/*/*.png", {}}, diagnostics);
  REQUIRE(files);
  std::string text;
  for (const FoundFile& file : *files) text += file.path + (file.has_links ? " (link)\n" : "\n");
  CHECK(text ==
        "train/ant/9.png\ntrain/ant/link.png (link)\ntrain/cat/1.png\ntrain/cat/2.png\ntrain/far/3.png "
        "(link)\n");
  const auto none = find_files(folder.path(), {"", "nothing/*/*.png", {}}, diagnostics);
  REQUIRE(none);
  CHECK(none->empty());
  const auto absolute = find_files("elsewhere", {"", folder.path() + "/train/cat/*", {}}, diagnostics);
  REQUIRE(absolute);
  CHECK(absolute->size() == 2);
}

}  // namespace
}  // namespace dlg
