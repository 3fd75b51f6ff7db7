// docs/ops.md is what the op table says; DLG_BLESS=1 writes it again.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "ir/ops/reference.h"
#include "tests/catch.h"

TEST_CASE("docs/ops.md is up to date") {
  const std::string path = "docs/ops.md";  // ctest runs in the source folder
  if (std::getenv("DLG_BLESS") != nullptr) std::ofstream(path) << dlg::op_reference();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const bool is_up_to_date = text.str() == dlg::op_reference();
  CHECK(is_up_to_date);
}
