// Owns the tests of what `dlg step` can be asked: which printed values are wrong, and where a derivative
// comes from.
#include <cmath>
#include <sstream>

#include "support/text.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

std::vector<std::string> lines_with(const std::string& text, const std::string& word) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.find(word) != std::string::npos) lines.push_back(line);
  }
  return lines;
}

TEST_CASE("step: the misprints of the lecture's slide are found, and nothing else") {
  const std::string folder = source_path("examples/backprop/");
  const Called step = call_dlg({"step", folder + "net.dlg", "--against", folder + "slide.csv"});
  CAPTURE(step.out, step.err);
  CHECK(step.exit_code == 4);
  const std::vector<std::string> wrong = lines_with(step.out, "DIFFERS");
  const std::vector<std::string> expected = {"w8", "learning rate", "y1", "dE/dw5", "new w8", "new w3"};
  REQUIRE(wrong.size() == expected.size());
  for (std::size_t i = 0; i < wrong.size(); ++i) CHECK(wrong[i].starts_with("  " + expected[i] + " "));
  CHECK(step.out.find("the printed 0.35891 needs 0.5\n") != std::string::npos);
  CHECK(step.out.find("the printed 0.77293 needs 0.55\n") != std::string::npos);
  CHECK(step.out.find("21 agree (5 of them cut, not rounded), 6 do not") != std::string::npos);
}

constexpr const char* kNet = R"(dlg 1
use f64
data d {
  x = [[0.3, -1.2, 0.8], [1.1, 0.4, -0.7]]
  t = [[0.2, 0.9], [0.1, 0.4]]
}
model net(x: [3]) -> [2] {
  param W: [4, 3] = glorot_uniform()
  param V: [2, 4] = glorot_uniform()
  a = tanh(W @ x)
  b = sigmoid(a * a)
  return V @ (a + b)
}
train {
  minimize  = mse(net(d.x), d.t) + 0.1 * sum(net.b)
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}
)";

/// The number at the beginning of the line, and the one at its end.
std::pair<double, double> ends_of(const std::string& line) {
  return {leading_number(line), leading_number(line.substr(line.rfind(' ')))};
}

TEST_CASE("step: the paths of the chain rule add up to the derivative of the backward pass") {
  const TempFolder folder;
  const std::string path = folder.write("net.dlg", kNet);
  // Over a directly and over a by way of b, to both outputs, and from b to the loss itself.
  const std::vector<std::pair<std::string, std::size_t>> asked = {
      {"W[2, 1]", 5}, {"V[1, 3]", 1}, {"net.a[0]", 5}, {"b[0]", 3}};
  for (const auto& [element, count] : asked) {
    for (const char* sample : {"0", "1"}) {
      const Called step = call_dlg({"step", path, "--why", element, "--sample", sample});
      CAPTURE(element, step.out, step.err);
      REQUIRE(step.exit_code == 0);
      CHECK(lines_with(step.out, " > loss").size() == count);
      const std::vector<std::string> sums = lines_with(step.out, "their sum");
      REQUIRE(sums.size() == 1);
      const auto [sum, backward] = ends_of(sums.front());
      CHECK(std::abs(sum - backward) <= 1e-8);
      double total = 0;
      for (const std::string& line : lines_with(step.out, " > loss")) total += leading_number(line);
      CHECK(std::abs(total - sum) <= 1e-7);
    }
  }
}

TEST_CASE("a layer of the library is one value of the net, whatever it calls for itself") {
  const TempFolder folder;
  const std::string path = folder.write("net.dlg", R"(dlg 1
data d {
  x = [[[[1, 2], [0, 1]], [[3, 1], [1, 1]]]]
}
fn block(x: [chan, row, col]) = x |> conv2d(2) |> group_norm(2)
model net(x: [chan: 2, row: 2, col: 2]) -> [] {
  return x |> block |> separable_conv2d(3) |> batch_norm |> max_pool |> flatten |> dense(2) |> sum
}
train {
  minimize  = net(d.x)^2
  optimizer = sgd(lr = 0.1)
  stop      = [1 steps]
}
)");
  const Called called = call_dlg({"step", path});
  CAPTURE(called.err);
  REQUIRE(called.exit_code == 0);
  const std::string forward = called.out.substr(0, called.out.find("\nbackward"));
  std::string names;
  for (const std::string_view line : split_text(forward, '\n')) {
    if (line.starts_with("  ")) names += std::string(line.substr(2, line.find(' ', 2) - 2)) + " ";
  }
  CHECK(
      names ==
      "net.block.conv2d net.block.group_norm net net.separable_conv2d net.batch_norm net.max_pool net.dense "
      "loss ");
}

}  // namespace
