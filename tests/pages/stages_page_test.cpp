// Owns the table of stages in docs/architecture.md: it is what the pipeline says; DLG_BLESS=1 writes it
// again.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "driver/cli/stages.h"
#include "tests/catch.h"

namespace dlg {
namespace {

std::string contents_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_CASE("docs/architecture.md has the table of stages") {
  const std::string path = "docs/architecture.md";  // ctest runs in the source folder
  const std::string begin = "<!-- stages -->\n";
  const std::string page = contents_of(path);
  const std::size_t from = page.find(begin) + begin.size();
  const std::size_t to = page.find("<!-- end of stages -->");
  REQUIRE(to != std::string::npos);
  if (std::getenv("DLG_BLESS") != nullptr) {
    std::ofstream(path) << page.substr(0, from) + stage_table() + page.substr(to);
    return;
  }
  CHECK(page.substr(from, to - from) == stage_table());
}

}  // namespace
}  // namespace dlg
