// Owns the proof that compiled training agrees with the f64 interpreter over 100 steps, for every shape a
// training takes.
#include <cmath>

#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// Seven rows in place: a batch of 3 leaves a ragged last one.
std::string network(const std::string& dtype, const std::string& settings) {
  return "dlg 1\n" + dtype + R"(
dim inp = 3
dim mid = 9
dim cls = 2
data toy {
  x = [[0.1, 0.5, -0.2], [0.9, -0.5, 0.3], [-1.0, 0.25, 0.7], [0.5, 1.0, -0.6],
       [0.3, -0.8, 0.2], [-0.4, 0.6, 0.9], [0.8, 0.1, -0.9]]
  t = [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0], [1, 0], [0, 1]]
}
model net(x: [inp]) -> [cls] = x |> dense(mid, tanh) |> dense(cls)
train {
  minimize  = cross_entropy(net(toy.x), toy.t) + 1e-3 * l2(params(net))
  optimizer = adam(lr = 0.01)
  stop      = [100 steps]
)" + settings +
         "}\n";
}

/// Compares all states after 100 steps; `tolerance` is relative to the largest entry of each state.
void compare_after_100_steps(const std::string& text, double tolerance) {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("net.dlg", text));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const StateValues compiled = *loaded.compiled()->train(100);
  const StateValues reference = *loaded.reference()->train(100);
  REQUIRE(compiled.size() == reference.size());
  for (const auto& [path, values] : reference) {
    double scale = 0;
    for (const double value : values) scale = std::max(scale, std::abs(value));
    for (std::size_t i = 0; i < values.size(); ++i) {
      CAPTURE(path, i, values[i], compiled.at(path)[i]);
      CHECK(std::abs(compiled.at(path)[i] - values[i]) <= tolerance * scale);
    }
  }
}

constexpr double kF64 = 1e-10;
constexpr double kF32 = 2e-3;

TEST_CASE("a ragged last batch trains as the interpreter does") {
  compare_after_100_steps(network("use f64", "  batch = 3\n"), kF64);
  compare_after_100_steps(network("use f32", "  batch = 3\n"), kF32);
}

TEST_CASE("a data set as one batch trains as the interpreter does") {
  compare_after_100_steps(network("use f64", ""), kF64);
  compare_after_100_steps(network("use f32", "  batch = 7\n"), kF32);
}

TEST_CASE("a batch of one trains as the interpreter does") {
  compare_after_100_steps(network("use f64", "  batch = 1\n"), kF64);
  compare_after_100_steps(network("use f32", "  batch = 1\n"), kF32);
}

TEST_CASE("rows in the order of the file train as the interpreter does") {
  compare_after_100_steps(network("use f64", "  batch = 2\n  shuffle = none\n"), kF64);
}

TEST_CASE("a parameter used twice trains as the interpreter does") {
  compare_after_100_steps(R"(dlg 1
use f64
dim n = 3
data d {
  x = [[0.1, 0.4, -0.3], [0.7, -0.2, 0.5]]
}
model tied(x: [n]) -> [n] {
  param W: [n, n] = [[0.3, -0.1, 0.2], [0.1, 0.4, -0.2], [0.5, 0.2, 0.1]]
  return transpose(W) @ tanh(W @ x)
}
train {
  minimize = mse(tied(d.x), d.x)
  optimizer = momentum(lr = 0.05)
  stop = [100 steps]
}
)",
                          kF64);
}

TEST_CASE("a model applied twice is one instance") {
  compare_after_100_steps(R"(dlg 1
use f64
dim n = 2
data d {
  x = [[0.1, 0.4], [0.7, -0.2]]
}
model layer(x: [n]) -> [n] {
  param W: [n, n] = [[0.3, -0.1], [0.1, 0.4]]
  return tanh(W @ x)
}
train {
  minimize = mse(layer(layer(d.x)), d.x)
  optimizer = sgd(lr = 0.1)
  stop = [100 steps]
}
)",
                          kF64);
}

TEST_CASE("a model without inputs trains as the interpreter does") {
  compare_after_100_steps(R"(dlg 1
use f64
dim plane = 2
model point() -> [plane] {
  param w: [plane] = [-4.0, 1.0]
  return w
}
fn ravine(w: [plane]) -> [] = 0.5 * (w[0]^2 + 25 * w[1]^2)
train {
  minimize = ravine(point())
  optimizer = nesterov(lr = 0.02)
  stop = [100 steps]
}
)",
                          kF64);
}

TEST_CASE("the worked example of the lecture reaches its numbers") {
  LoadedProgram loaded(source_path("examples/backprop/net.dlg"));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const std::unique_ptr<Laboratory> compiled = loaded.compiled();
  const Observations before = compiled->observe(compiled->initial());
  CHECK(before.at("loss").front() == Approx(0.298371109).margin(5e-10));
  CHECK(before.at("value.net.h")[0] == Approx(0.593269992).margin(5e-10));
  CHECK(before.at("value.net.h")[1] == Approx(0.596884378).margin(5e-10));
  CHECK(before.at("value.net.z")[0] == Approx(1.105905967).margin(5e-10));
  CHECK(before.at("grad.net.W2")[0] == Approx(0.082167041).margin(5e-10));
  const StateValues one = *compiled->train(1);
  const std::vector<double> w2{0.358916480, 0.408666186, 0.511301270, 0.561370121};
  const std::vector<double> w1{0.149780716, 0.199561432, 0.249751144, 0.299502287};
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(one.at("net.W2")[i] == Approx(w2[i]).margin(1e-9));
    CHECK(one.at("net.W1")[i] == Approx(w1[i]).margin(1e-9));
  }
  CHECK(compiled->observe(one).at("loss").front() == Approx(0.291027774).margin(5e-10));
  const StateValues many = *compiled->train(10000);
  CHECK(compiled->observe(many).at("loss").front() == Approx(3.510e-5).margin(5e-9));
}

TEST_CASE("fusion changes no bit") {
  const TempFolder folder;
  const std::string path = folder.write("net.dlg", network("use f32", "  batch = 3\n"));
  LoadedProgram fused(path);
  LoadedProgram unfused(path);
  unfused.session().engine_options.fusion = Fusion::kOff;
  REQUIRE(fused.is_ok());
  CHECK(*fused.compiled()->train(50) == *unfused.compiled()->train(50));
}

TEST_CASE("the same seed gives the same bytes, another seed others") {
  const TempFolder folder;
  const std::string path = folder.write("net.dlg", network("use f32", "  batch = 3\n"));
  LoadedProgram first(path);
  LoadedProgram second(path);
  LoadedProgram other(path, {{"train.seed", "2"}});
  INFO(other.errors());
  REQUIRE(other.is_ok());
  const StateValues states = *first.compiled()->train(50);
  CHECK(states == *second.compiled()->train(50));
  CHECK(states != *other.compiled()->train(50));
}

}  // namespace
