// docs/library.md is what the table of functions and std/ say; DLG_BLESS=1 writes it again.
#include "frontend/library_reference.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/catch.h"
#include "tests/source_dir.h"

namespace dlg {
namespace {

TEST_CASE("every name of the library has a doc and an example that compiles") {
  for (const LibrarySection& section : library_sections()) {
    for (const LibraryEntry& entry : section.entries) {
      INFO(section.title << ": " << entry.name << ": " << entry.example);
      CHECK(!entry.doc.empty());
      REQUIRE(!entry.example.empty());
      CHECK(entry.example.find(entry.name) != std::string::npos);
      CHECK(run_example(entry.example).errors == "");
    }
  }
}

TEST_CASE("docs/library.md is up to date") {
  const std::string path = test::source_dir() + "/docs/library.md";
  if (std::getenv("DLG_BLESS") != nullptr) std::ofstream(path) << library_reference();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const bool is_up_to_date = text.str() == library_reference();
  CHECK(is_up_to_date);
}

}  // namespace
}  // namespace dlg
