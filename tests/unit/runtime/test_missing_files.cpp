// Owns the tests of what is said about a file that does not exist.
#include "runtime/files.h"
#include "tests/catch.h"
#include "tests/unit/runtime/helpers.h"

namespace dlg {
namespace {

/// What reading `name` in the folder says.
std::string said_of(const TestFolder& folder, const std::string& name) {
  Diagnostics diagnostics;
  CHECK_FALSE(read_file({folder / name, "", {}}, diagnostics));
  std::string text = diagnostics_text(diagnostics);
  for (std::size_t at = text.find(folder.path()); at != std::string::npos; at = text.find(folder.path())) {
    text.replace(at, folder.path().size(), "F");
  }
  return text;
}

TEST_CASE("a missing file: what may have been meant") {
  const TestFolder folder;
  for (const char* name : {"houses.csv", "houses.dlg", "rows.csv"}) put_file(folder / name, "x");
  CHECK(said_of(folder, "huoses.csv") ==
        "DLG0911 `F/huoses.csv` does not exist | did you mean `houses.csv`?");
  CHECK(said_of(folder, "Rows.CSV") == "DLG0911 `F/Rows.CSV` does not exist");
  CHECK(said_of(folder, "prices.csv") == "DLG0911 `F/prices.csv` does not exist");
  CHECK(said_of(folder, "data/houses.csv") ==
        "DLG0911 `F/data/houses.csv` does not exist | there is no folder `F/data`");
  CHECK(said_of(folder, "rows.csv/x.csv") ==
        "DLG0911 `F/rows.csv/x.csv` does not exist | there is no folder `F/rows.csv`");
}

}  // namespace
}  // namespace dlg
