// Owns the proof that derivatives of derivatives are right: symbolic ones, in the interpreter and compiled,
// against dual numbers of dual numbers on the forward graph alone.
#include <fmt/format.h>

#include <cmath>

#include "driver/engine/programs.h"
#include "driver/engine/reference.h"
#include "ir/graph/rewriter.h"
#include "passes/derive/differentiate.h"
#include "passes/derive/update.h"
#include "tests/catch.h"
#include "tests/driver/programs_in_tests.h"

namespace {

using namespace dlg;
using namespace dlg::testing;

constexpr double kTolerance = 1e-8;

bool are_near(double a, double b) {
  return std::abs(a - b) <= kTolerance * std::max({1.0, std::abs(a), std::abs(b)});
}

/// One value of a program's forward graph in numbers with two directions.
class ForwardStudy {
 public:
  ForwardStudy(const CheckedProgram& program, const LoadedData& data, ValueId value)
      : graph_(with_outputs(program.graph, {{"value", value}})) {
    environment_.rows = std::max<std::int64_t>(1, data.rows);
    for (const auto& [path, values] : initial_states(program.graph, 1)) {
      environment_.states[path] = tensor(graph_.states[*graph_.find_state(path)].type.shape, values);
    }
    for (const Input& input : graph_.inputs) {
      environment_.inputs[input.path] = tensor(input.type.shape, data.all_values().at(input.path));
    }
  }

  std::vector<SecondDual>& state(const std::string& path) { return environment_.states.at(path).elements; }
  std::vector<SecondDual>& input(const std::string& path) { return environment_.inputs.at(path).elements; }

  /// The elements of the value.
  std::vector<SecondDual> values() const {
    return interpret(graph_, environment_)[graph_.outputs.front().value].elements;
  }

 private:
  Tensor<SecondDual> tensor(const Shape& shape, const std::vector<double>& values) const {
    Tensor<SecondDual> result{shape.at(environment_.rows), {}};
    for (const double x : values) result.elements.push_back({x, 0, 0, 0});
    return result;
  }

  Graph graph_;
  Environment<SecondDual> environment_;
};

ValueId named_value(const CheckedProgram& program, const std::string& name) {
  for (const NamedValue& named : program.values) {
    if (named.name == name) return named.value;
  }
  FAIL("there is no value " << name);
  return {};
}

/// All outputs of the inspection graph by both engines; they agree.
Observations observed(LoadedProgram& loaded) {
  const auto compiled = loaded.compiled();
  const auto reference = loaded.reference();
  REQUIRE(compiled);
  Observations expected = reference->observe(reference->initial());
  for (const auto& [name, values] : compiled->observe(compiled->initial())) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      CAPTURE(name, i, values[i], expected.at(name)[i]);
      CHECK(are_near(values[i], expected.at(name)[i]));
    }
  }
  return expected;
}

constexpr std::string_view kPenalty = R"(dlg 1
use f64
dim inp = 2
dim mid = 3
data d {
  x = [[0.3, -0.7], [1.1, 0.4], [-0.5, 0.9], [0.2, 0.6]]
  t = [0.5, -0.25, 1.0, 0.75]
}
model critic(x: [inp]) -> [] {
  param W: [mid, inp] = [[0.4, -0.3], [0.8, 0.5], [-0.6, 0.7]]
  param v: [mid] = [0.9, -1.1, 0.6]
  return sum(v * tanh(W @ x)) + 0.1 * sum(sigmoid(W @ x))^3
}
fn penalised(x: [inp], t: []) -> [] {
  y = critic(x)
  slope = grad(y, x)
  return (y - t)^2 + 0.5 * sum(slope^2)
}
train {
  minimize  = penalised(d.x, d.t)
  optimizer = sgd(lr = 0.1)
  stop      = [3 steps]
}
)";

/// The derivative of the penalised loss along one element of a parameter, from mixed derivatives of the
/// critic.
double penalty_slope(const LoadedProgram& loaded, const std::string& path, std::size_t element) {
  ForwardStudy study(loaded.program(), loaded.data(), named_value(loaded.program(), "critic"));
  study.state(path)[element].second = 1;
  const std::vector<double> targets = loaded.data().all_values().at("d.t");
  std::vector<SecondDual>& inputs = study.input("d.x");
  const std::size_t width = inputs.size() / targets.size();
  double slope = 0;
  for (std::size_t axis = 0; axis < width; ++axis) {
    for (std::size_t i = 0; i < inputs.size(); ++i) inputs[i].first = i % width == axis ? 1 : 0;
    const std::vector<SecondDual> y = study.values();
    for (std::size_t sample = 0; sample < y.size(); ++sample) {
      if (axis == 0) slope += 2 * (y[sample].value - targets[sample]) * y[sample].second;
      slope += 0.5 * 2 * y[sample].first * y[sample].mixed;
    }
  }
  return slope / static_cast<double>(targets.size());
}

TEST_CASE("a gradient penalty trains along the derivative that dual numbers of dual numbers give") {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("penalty.dlg", std::string(kPenalty)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const Observations values = observed(loaded);
  for (const std::string path : {"critic.W", "critic.v"}) {
    const std::vector<double>& gradient = values.at("grad." + path);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const double expected = penalty_slope(loaded, path, i);
      CAPTURE(path, i, gradient[i], expected);
      CHECK(are_near(gradient[i], expected));
      CHECK(std::abs(expected) > 1e-3);
    }
  }
}

constexpr std::string_view kProduct = R"(dlg 1
use f64
model point() -> [] {
  param w: [4] = [0.5, -1.2, 0.8, 1.5]
  const v: [4] = [1.0, -2.0, 0.5, 0.25]
  f = exp(w[0] * w[1]) + w[2]^3 * sin(w[3]) + log(1 + sum(w^2)) + sqrt(w[3] + 2) / (1 + w[0]^2)
  g = grad(f, w)
  product = grad(sum(g * v), w)
  return f
}
train {
  minimize  = point()
  optimizer = newton(damping = 0.3)
  stop      = [3 steps]
}
)";

TEST_CASE("a Hessian-vector product in a model is the mixed derivative") {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("product.dlg", std::string(kProduct)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const Observations values = observed(loaded);
  ForwardStudy study(loaded.program(), loaded.data(), named_value(loaded.program(), "point.f"));
  std::vector<SecondDual>& w = study.state("point.w");
  const std::vector<double> v{1.0, -2.0, 0.5, 0.25};
  for (std::size_t i = 0; i < w.size(); ++i) {
    for (std::size_t k = 0; k < w.size(); ++k) w[k] = {w[k].value, k == i ? 1.0 : 0.0, v[k], 0};
    const SecondDual f = study.values().front();
    CAPTURE(i, f.first, f.mixed);
    CHECK(are_near(values.at("value.point.g")[i], f.first));
    CHECK(are_near(values.at("value.point.product")[i], f.mixed));
  }
}

/// (H + damping I) step = g, by elimination without pivots: the matrix is well-conditioned in these tests.
std::vector<double> newton_step(std::vector<std::vector<double>> rows, std::vector<double> g) {
  const std::size_t n = g.size();
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t i = k + 1; i < n; ++i) {
      const double factor = rows[i][k] / rows[k][k];
      for (std::size_t j = k; j < n; ++j) rows[i][j] -= factor * rows[k][j];
      g[i] -= factor * g[k];
    }
  }
  for (std::size_t k = n; k-- > 0;) {
    for (std::size_t j = k + 1; j < n; ++j) g[k] -= rows[k][j] * g[j];
    g[k] /= rows[k][k];
  }
  return g;
}

TEST_CASE("a damped Newton step solves with the Hessian of dual numbers of dual numbers") {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("product.dlg", std::string(kProduct)));
  REQUIRE(loaded.is_ok());
  ForwardStudy study(loaded.program(), loaded.data(), named_value(loaded.program(), "point.f"));
  std::vector<SecondDual>& w = study.state("point.w");
  const std::vector<SecondDual> start = w;
  const std::size_t n = w.size();
  std::vector<std::vector<double>> hessian(n, std::vector<double>(n));
  std::vector<double> gradient(n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < n; ++k) w[k] = {w[k].value, k == i ? 1.0 : 0.0, k == j ? 1.0 : 0.0, 0};
      const SecondDual f = study.values().front();
      gradient[i] = f.first;
      hessian[i][j] = f.mixed + (i == j ? 0.3 : 0);
    }
  }
  const std::vector<double> step = newton_step(hessian, gradient);
  for (const auto& laboratory : {loaded.compiled(), loaded.reference()}) {
    REQUIRE(laboratory);
    const std::optional<StateValues> after = laboratory->train(1);
    REQUIRE(after);
    for (std::size_t i = 0; i < n; ++i) {
      CAPTURE(i, step[i]);
      CHECK(are_near(after->at("point.w")[i], start[i].value - step[i]));
    }
  }
}

/// A convex quadratic of `n` variables over two parameters, all coupled; its minimum is at a = 1, b = -2.
std::string quadratic_program(int n) {
  const int rows = n / 4;
  const int rest = n - 2 * rows;
  return fmt::format(R"(dlg 1
use f64
model point() -> [] {{
  param a: [{}, 2] = 3
  param b: [{}] = 0.25
  da = a - 1
  db = b + 2
  chain = sum((db[0..{}] - db[1..{}])^2)
  return 2 * sum(da^2) + sum(db^2) + chain + 0.02 * sum(da) * sum(db)
}}
train {{
  minimize  = point()
  optimizer = newton()
  stop      = [1 steps]
}}
)",
                     rows, rest, rest - 2, rest - 1);
}

TEST_CASE("Newton on a quadratic is there after one step, also with 64 variables") {
  const int n = GENERATE(4, 12, 64);
  const TempFolder folder;
  LoadedProgram loaded(folder.write("quadratic.dlg", quadratic_program(n)));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  for (const auto& laboratory : {loaded.compiled(), loaded.reference()}) {
    REQUIRE(laboratory);
    const std::optional<StateValues> after = laboratory->train(1);
    REQUIRE(after);
    for (const double a : after->at("point.a")) CHECK(are_near(a, 1));
    for (const double b : after->at("point.b")) CHECK(are_near(b, -2));
  }
}

TEST_CASE("coupled decay is in the Hessian: one Newton step reaches the minimum of loss and decay") {
  const TempFolder folder;
  LoadedProgram loaded(folder.write("bowl.dlg", R"(dlg 1
use f64
model bowl() -> [] {
  param w: [2] = [1.0, -2.0]
  param b: [] = 3
  return 2 * w[0]^2 + 4.5 * w[1]^2 + w[0] * w[1] - w[0] + 2 * w[1] + b^2 - b
}
train {
  minimize     = bowl()
  optimizer    = newton()
  weight_decay = coupled(0.5)
  groups       = [group(bowl.b, weight_decay = 0)]
  stop         = [1 steps]
}
)"));
  INFO(loaded.errors());
  REQUIRE(loaded.is_ok());
  const auto compiled = loaded.compiled()->train(1);
  const auto reference = loaded.reference()->train(1);
  // [4.5 1; 1 9.5] w = [1; -2], and 2 b = 1 without decay.
  for (const auto& states : {compiled, reference}) {
    CHECK(are_near(states->at("bowl.w")[0], 11.5 / 41.75));
    CHECK(are_near(states->at("bowl.w")[1], -10 / 41.75));
    CHECK(are_near(states->at("bowl.b")[0], 0.5));
  }
}

}  // namespace
