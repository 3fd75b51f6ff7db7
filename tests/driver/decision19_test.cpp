// Owns the tests of decision 19 that need a whole program: derivatives of std, what `dlg step` looks at, how
// accuracy is printed, which parts a split makes.
#include <algorithm>
#include <cmath>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// Whether two numbers differ by what elementary functions may: two units in the last place.
bool are_near(double a, double b) {
  return a == b || std::abs(a - b) <= 0x1p-51 * std::abs(b);
}

/// The values of some expressions in f64 as compiled code and reference agree on them.
std::vector<double> values_of(const std::vector<std::string>& expressions, const std::string& definitions) {
  std::string text = "dlg 1\nuse f64\n" + definitions + "check \"c\" {\n";
  for (const std::string& expression : expressions) text += "  expect " + expression + " ~ 0 +- 1\n";
  const TempFolder folder;
  LoadedProgram loaded(folder.write("values.dlg", text + "}\n"));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const auto observed = [](const std::unique_ptr<Laboratory>& laboratory) {
    return laboratory->observe(laboratory->initial());
  };
  const auto compiled = observed(loaded.compiled());
  const auto reference = observed(loaded.reference());
  std::vector<double> values;
  for (std::size_t i = 0; i < expressions.size(); ++i) {
    const std::string name = "expect." + std::to_string(i);
    values.push_back(reference.at(name).front());
    CAPTURE(expressions[i], compiled.at(name).front(), values[i]);
    CHECK((are_near(compiled.at(name).front(), values[i]) || std::isnan(values[i])));
    CHECK(std::isnan(compiled.at(name).front()) == std::isnan(values[i]));
  }
  return values;
}

double value_of(const std::string& expression) {
  return values_of({expression}, "").front();
}

/// The derivative of `function` of x at each of `points`.
std::vector<double> slopes(const std::string& function, const std::vector<std::string>& points) {
  std::vector<std::string> expressions;
  for (const std::string& point : points) expressions.push_back("slope([" + point + "])[0]");
  return values_of(expressions,
                   "fn slope(x: [n]) -> [n] {\n  y = " + function + "\n  return grad(sum(y), x)\n}\n");
}

TEST_CASE("decision 19: relu has the derivative 0 at 0 and lets NaN pass") {
  CHECK(slopes("relu(x)", {"-1", "0", "2"}) == std::vector<double>{0, 0, 1});
  CHECK(std::isnan(value_of("relu(sqrt([-1]))[0]")));
}

TEST_CASE("decision 19: leaky_relu has the slope 0.01 also at 0") {
  CHECK(slopes("leaky_relu(x)", {"-1", "0", "2"}) == std::vector<double>{0.01, 0.01, 1});
}

TEST_CASE("decision 19: abs, sign and sqrt at 0") {
  CHECK(slopes("abs(x)", {"-3", "0", "3"}) == std::vector<double>{-1, 0, 1});
  CHECK(value_of("sign([0])[0]") == 0);
  CHECK(slopes("sign(x)", {"-3", "0"}) == std::vector<double>{0, 0});
  CHECK(std::isnan(value_of("sign(sqrt([-1]))[0]")));
  CHECK(std::isinf(slopes("sqrt(x)", {"0"}).front()));
}

TEST_CASE("decision 19: where passes the seed by select, so a dead branch never poisons a gradient") {
  CHECK(slopes("where(x <= 0, 0, sqrt(x))", {"0", "4"}) == std::vector<double>{0, 0.25});
  CHECK(slopes("where(x <= 0, x, log(x))", {"0", "2"}) == std::vector<double>{1, 0.5});
}

TEST_CASE("decision 19: powers by an integer constant multiply, others are C's pow") {
  CHECK(value_of("([3]^4)[0]") == 81);
  CHECK(value_of("([2]^-3)[0]") == 0.125);
  CHECK(value_of("([0]^0)[0]") == 1);
  CHECK(slopes("x^0", {"0", "5"}) == std::vector<double>{0, 0});
  CHECK(slopes("x^2", {"-3", "0"}) == std::vector<double>{-6, 0});
  CHECK(value_of("([-2]^63)[0]") == -std::pow(2.0, 63));
  CHECK(value_of("([2]^0.5)[0]") == std::pow(2.0, 0.5));
  CHECK(std::isnan(value_of("([-2]^0.5)[0]")));
  CHECK(slopes("x^1.5", {"0", "4"}) == std::vector<double>{0, 3});
}

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
