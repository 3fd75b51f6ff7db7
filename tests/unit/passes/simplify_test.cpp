// Owns the tests of the laws: each holds bit for bit on special values, and rewrites its own left side. What
// becomes of a graph is shown by tests/golden/passes/simplify.
#include "passes/simplify/simplify.h"

#include <bit>
#include <cmath>
#include <limits>

#include "ir/graph/verify.h"
#include "ir/ops/interpret.h"
#include "tests/catch.h"

using namespace dlg;

namespace {

/// Zeros, subnormals, the ends of f32 and f64, powers of two, halves, thirds, infinities, NaN; both signs.
std::vector<double> special_values() {
  using Limits = std::numeric_limits<double>;
  using Narrow = std::numeric_limits<float>;
  const std::vector<double> positive{0,
                                     Limits::denorm_min(),
                                     Limits::min(),
                                     Narrow::denorm_min(),
                                     Narrow::min(),
                                     Limits::epsilon(),
                                     1.0 / 3,
                                     0.5,
                                     std::nextafter(1.0, 0.0),
                                     1,
                                     std::nextafter(1.0, 2.0),
                                     1.5,
                                     2,
                                     3,
                                     709.8,
                                     16777217,
                                     Narrow::max(),
                                     Limits::max(),
                                     Limits::infinity(),
                                     Limits::quiet_NaN()};
  std::vector<double> values = positive;
  for (const double value : positive) values.push_back(-value);
  return values;
}

bool is_same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

/// Every pair of special values over two variables: an even one runs slowly, an odd one fast.
Environment<double> special_environment(const Law& law) {
  const std::vector<double> values = special_values();
  const auto count = static_cast<std::int64_t>(values.size());
  Environment<double> environment;
  environment.rows = count * count;
  for (std::size_t v = 0; v < law.variables.size(); ++v) {
    const TensorType& type = law.pattern.type(law.variables[v]);
    Tensor<double> tensor{type.shape.at(environment.rows), {}};
    const std::int64_t inner = type.shape.elements(1);
    for (std::int64_t i = 0; i < tensor.shape.elements(); ++i) {
      const std::int64_t row = i / inner;
      const auto pick = static_cast<std::size_t>((v % 2 == 0 ? row / count + i % inner : row) % count);
      const std::size_t kinds = type.dtype == DType::kBool ? 2 : 4;  // false and true; indices
      tensor.elements.push_back(is_float(type.dtype) ? values[pick] : static_cast<double>(pick % kinds));
    }
    environment.inputs[*leaf_path(law.pattern[law.variables[v]])] = std::move(tensor);
  }
  return environment;
}

std::size_t cost(const Graph& pattern, std::string_view side) {
  Graph one = pattern;
  one.outputs = {{"side", *pattern.find_output(side)}};
  std::size_t nodes = 0;
  for (const char live : live_values(one)) nodes += live ? 1 : 0;
  return nodes;
}

}  // namespace

TEST_CASE("there are 40 special values") {
  CHECK(special_values().size() == 40);
}

TEST_CASE("every law holds bit for bit on special values") {
  for (const Law& law : exact_laws().all()) {
    INFO(law.name);
    const auto values = interpret(law.pattern, special_environment(law));
    const std::vector<double>& left = values[*law.pattern.find_output("left")].elements;
    const std::vector<double>& right = values[*law.pattern.find_output("right")].elements;
    REQUIRE(left.size() == right.size());
    std::size_t differing = 0;
    for (std::size_t i = 0; i < left.size(); ++i) differing += is_same(left[i], right[i]) ? 0 : 1;
    CHECK(differing == 0);
  }
}

TEST_CASE("the right side of a law is never dearer") {
  for (const Law& law : exact_laws().all()) {
    INFO(law.name);
    CHECK(cost(law.pattern, "right") <= cost(law.pattern, "left"));
  }
}

TEST_CASE("every law rewrites its own left side") {
  for (const Law& law : exact_laws().all()) {
    INFO(law.name);
    Graph graph = law.pattern;
    graph.outputs = {{"y", *law.pattern.find_output("left")}};
    const Graph result = simplify(graph);
    REQUIRE_FALSE(verify(result, Stage::kSimplified).has_value());
    CHECK(result.nodes.size() <= cost(law.pattern, "right"));
  }
}
