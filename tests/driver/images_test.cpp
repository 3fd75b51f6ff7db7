// Owns the proof that the layers of images and series of std are PyTorch's: values and gradients that it gave
// are stored beside the script that asked for them, in tests/layers/.
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

TEST_CASE("layers of images and their gradients are those that PyTorch gave") {
  const std::vector<std::string> files = stored_programs("tests/layers/images");
  CHECK(files.size() == 17);
  check_all(files);
}

TEST_CASE("a normal distribution is cut where it is said") {
  const EmptyWorkingFolder folder;
  std::ofstream("net.dlg") << R"(dlg 1
use f64
model net() -> [] {
  param a: [1000, 20] = normal(0.5)
  param b: [1000, 20] = truncated_normal(0.5)
  return sum(a) + sum(b)
}
train {
  minimize = net()
  optimizer = sgd(lr = 1)
  stop = [1 steps]
}
check "moments of a standard normal between -2 and 2" {
  expect max(abs(net.a)) > 1.5
  expect max(abs(net.b)) < 1
  expect max(abs(net.b)) > 0.99
  expect mean(net.b) ~ 0 +- 0.016
  expect mean(net.b^2) ~ 0.1934 +- 0.008
})";
  const Called called = call_dlg({"check", "net.dlg"});
  INFO(called.err << called.out);
  CHECK(called.exit_code == 0);
}

}  // namespace
