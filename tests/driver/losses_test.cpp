// Owns the proof that the losses of std are PyTorch's: values and gradients that it gave are stored beside
// the script that asked for them, in tests/losses/.
#include <string>
#include <vector>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

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
