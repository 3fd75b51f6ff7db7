// Owns the proof that parameters start as orthogonal matrices, of every shape and in both types, and that
// neither threads nor engine nor a resumed run change them.
#include "driver/engine/initial_states.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

/// A program whose parameters have all shapes. `$` is the tolerance.
const std::string kShapes = R"(
dim m = 24
dim n = 40
fn distance(a: [k, k]) {
  eye = one_hot(iota(k), k)
  return max(abs(a - eye))
}
fn apart(w: [r, c]) = distance(w @ transpose(w))
fn apart_down(w: [r, c]) = distance(transpose(w) @ w)
model net() -> [] {
  param one: [1, 1] = orthogonal()
  param row: [1, n] = orthogonal()
  param column: [n, 1] = orthogonal()
  param square: [n, n] = orthogonal()
  param wide: [m, n] = orthogonal()
  param tall: [n, m] = orthogonal(gain = 3)
  param kernels: [m, 3, 4, 5] = orthogonal(sqrt(2))
  param many: [n, 2, 3] = orthogonal()
  return sum(one) + sum(row) + sum(column) + sum(square) + sum(wide) + sum(tall) + sum(kernels) + sum(many)
}
train {
  minimize = net()
  optimizer = sgd(lr = 1)
  stop = [1 steps]
}
check "orthonormal rows, or columns" {
  expect apart(net.one) < $
  expect apart(net.row) < $
  expect apart_down(net.column) < $
  expect apart(net.square) < $
  expect apart_down(net.square) < $
  expect apart(net.wide) < $
  expect apart_down(net.wide) > 0.5
  expect apart_down(net.tall / 3) < $
  expect apart((net.kernels as [m, 60]) / sqrt(2)) < $
  expect apart_down(net.many as [n, 6]) < $
  expect max(abs(net.wide - transpose(net.tall) / 3)) > 0.1
}
)";

std::string shapes(const std::string& head, const std::string& tolerance) {
  std::string text = "dlg 1\n" + head + kShapes;
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$'))
    text.replace(at, 1, tolerance);
  return text;
}

TEST_CASE("parameters of every shape start with orthonormal rows or columns") {
  for (const std::string& text : {shapes("use f64\n", "1e-12"), shapes("use f32\n", "1e-6")}) {
    const EmptyWorkingFolder folder;
    std::ofstream("net.dlg") << text;
    const Called called = call_dlg({"check", "net.dlg"});
    INFO(called.err << called.out);
    CHECK(called.exit_code == 0);
  }
}

const std::string kTrained = R"(dlg 1
data d {
  x = [[0.5, -1, 2], [1, 0.25, -0.5], [0, 1, 1], [2, 2, -1]]
  t = [[1, 0], [0, 1], [1, 1], [0, 0]]
}
model net(x: [3]) -> [2] {
  param W: [5, 3] = orthogonal(gain = sqrt(2))
  param V: [2, 5] = orthogonal()
  return V @ tanh(W @ x)
}
train {
  minimize = mse(net(d.x), d.t)
  optimizer = adam(lr = 0.01)
  batch = 2
  stop = [6 steps]
}
)";

TEST_CASE("a training from orthogonal matrices has the same bits on any threads, resumed and in one go") {
  const std::string whole = trained_file(kTrained, {{}});
  CHECK(trained_file(kTrained, {{"--threads", "1"}}) == whole);
  CHECK(trained_file(kTrained, {{"--threads", "3"}}) == whole);
  CHECK(trained_file(kTrained, stopped_at("3 steps", "6 steps")) == whole);
  CHECK(trained_file(kTrained, {{"--set", "seed=9"}}) != whole);
}

TEST_CASE("an orthogonal matrix is drawn as numbers and to where a state lies alike") {
  Graph graph;
  const TensorType type{DType::kF32, {7, 2, 3}};
  graph.states.add({"net.W", type, StateKind::kParameter, {Initializer::Kind::kOrthogonal, 3}, {}});
  const std::vector<double> numbers = initial_states(graph, 5).at("net.W");
  std::vector<float> turned(42);
  draw_state(graph.states[StateId{0}], 5, {1, 21, 7}, turned.data());
  for (std::size_t i = 0; i < 42; ++i) {
    const std::size_t place = i / 6 + i / 3 % 2 * 21 + i % 3 * 7;
    CHECK(turned[place] == static_cast<float>(numbers[i]));
  }
}

}  // namespace
