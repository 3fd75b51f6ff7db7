// Owns the tests of decision 19 that need a whole program: what `dlg step` looks at, how accuracy is printed,
// which parts a split makes.
#include <algorithm>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

const char* const kRows = R"(dlg 1
use f64
data d {
  x = [1.0, 2.0, 3.0, 4.0]
}
model m(x: []) -> [] {
  param w: [] = 2
  y = w * x
  return y
}
train {
  minimize  = m(d.x)
  optimizer = sgd(lr = 1)
  stop      = [1 steps]
)";

TEST_CASE("decision 19: dlg step shows the first batch: its loss and gradient, and one sample's values") {
  const TempFolder folder;
  const std::string path = folder.write("net.dlg", std::string(kRows) + "  batch = 2\n  shuffle = none\n}\n");
  const Called first = call_dlg({"step", path});
  CAPTURE(first.out, first.err);
  REQUIRE(first.exit_code == 0);
  CHECK(first.out.find("m.y              2.00000000") != std::string::npos);
  // The loss of the rows 1 and 2, not of all; the derivative of a sample's value carries 1/T.
  CHECK(first.out.find("loss             3.00000000") != std::string::npos);
  CHECK(first.out.find("dm.w             1.50000000") != std::string::npos);
  CHECK(first.out.find("dm.y             0.50000000") != std::string::npos);
  CHECK(first.out.find("m.w              2.00000000 -> 0.50000000") != std::string::npos);
  const Called second = call_dlg({"step", path, "--sample", "1"});
  CAPTURE(second.out);
  CHECK(second.out.find("m.y              4.00000000") != std::string::npos);
}

TEST_CASE("decision 19: in a check the derivative of a sample's value is of the batch mean") {
  const TempFolder folder;
  const std::string path =
      folder.write("net.dlg", std::string(kRows) +
                                  "}\ncheck \"mean\" {\n  expect grad(m.y) ~ 0.25 +- 1e-12\n"
                                  "  expect m.y ~ 2 +- 1e-12\n  expect loss ~ 5 +- 1e-12\n}\n");
  const Called check = call_dlg({"check", path});
  CAPTURE(check.out, check.err);
  CHECK(check.exit_code == 0);
}

TEST_CASE("decision 19: val and test get their rounded shares, the rest is train, by the split's own seed") {
  const std::string text = R"(dlg 1
data d {
  file  = csv("rows.csv")
  x     = column("x")
  split = shares(train = 0.5, val = 0.25, test = 0.25)
}
model m(x: []) -> [] {
  param w: [] = 1
  return w * x
}
train {
  minimize  = m(d.x)^2
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}
)";
  const TempFolder folder;
  folder.write("rows.csv", "x\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  const std::string path = folder.write("net.dlg", text);
  LoadedProgram loaded(path);
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  // round(0.25 * 10) is 3 for each of the two.
  CHECK(loaded.data().parts.val.size() == 3);
  CHECK(loaded.data().parts.test.size() == 3);
  CHECK(loaded.data().parts.train.size() == 4);
  CHECK(std::is_sorted(loaded.data().parts.train.begin(), loaded.data().parts.train.end()));
  LoadedProgram again(path, {{"seed", "5"}});
  CHECK(again.data().parts.train == loaded.data().parts.train);
  LoadedProgram other(path, {{"d.split.seed", "3"}});
  CHECK(other.data().parts.train != loaded.data().parts.train);
}

TEST_CASE("decision 19: accuracy is printed as percent") {
  const TempFolder folder;
  const std::string path = folder.write("net.dlg", R"(dlg 1
data d {
  x = [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]
  t = [0, 1, 1, 0]
}
model m(x: [2]) -> [2] {
  param b: [2] = 0
  return x + 0 * b
}
train {
  minimize  = cross_entropy(m(d.x), d.t)
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
  metrics   = [accuracy(m(d.x), d.t)]
}
)");
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::path(path).parent_path());
  const Called train = call_dlg({"train", path, "--quiet"});
  std::filesystem::current_path(before);
  CAPTURE(train.out, train.err);
  CHECK(train.out.find("train accuracy 75.00 %") != std::string::npos);
}

}  // namespace
