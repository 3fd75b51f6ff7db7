// The derivative of every op, generated from the op table: <w, J v> by dual numbers against <J^T w, v>
// through the symbolic reverse walk, the same for second derivatives, and 5-point differences away from
// kinks.
#include <fmt/format.h>

#include <cmath>

#include "ir/ops/expr.h"
#include "passes/derive/differentiate.h"
#include "tests/catch.h"
#include "tests/near.h"
#include "tests/ops/op_samples.h"

namespace dlg {
namespace {

constexpr int kDirections = 8;

std::vector<std::int64_t> all_axes(const Shape& shape) {
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < shape.rank(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  return axes;
}

bool is_differentiated(const OpDef& op) {
  return op.arity != 0 && &op != &ops::gradient;
}

Expr weighted_sum(Builder& builder, ValueId value, ValueId weights) {
  const Expr y = cast(Expr{&builder, value}, DType::kF64);
  return sum(y * Expr{&builder, weights}, all_axes(y.shape()));
}

/// e = sum(w * y), its gradients by the float operands, and the gradients of e2 = sum of u * de/dx.
struct Study {
  OpSample sample;
  std::vector<ValueId> leaves;   // float operands
  std::vector<ValueId> weights;  // w, then one u for each leaf
  ValueId e;
  ValueId e2;
  std::vector<ValueId> first;
  std::vector<ValueId> second;
};

std::vector<ValueId> gradients_or_zeros(Builder& builder, ValueId e, const std::vector<ValueId>& wrt) {
  std::vector<ValueId> values;
  const auto found = gradients(builder, e, wrt);
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    values.push_back(found[i] ? *found[i] : constant_like({&builder, wrt[i]}, 0).value);
  }
  return values;
}

ValueId add_weights(Study& study, Builder& builder, const std::string& path, const Shape& shape) {
  const ValueId leaf = add_leaf(builder, path, TensorType{DType::kF64, shape});
  Environment<double>& environment = study.sample.environment;
  auto& home = shape.has_batch() ? environment.inputs : environment.states;
  const Shape actual = shape.at(environment.rows);
  home[path] = {actual, std::vector<double>(static_cast<std::size_t>(actual.elements()), 0.0)};
  study.weights.push_back(leaf);
  return leaf;
}

Study make_study(const SampleRequest& request) {
  Study study{make_sample(request), {}, {}, {}, {}, {}, {}};
  Graph& graph = study.sample.graph;
  Builder builder(graph);
  for (const ValueId operand : study.sample.operands) {
    if (is_float(graph.type(operand).dtype)) study.leaves.push_back(operand);
  }
  const Shape shape = graph.type(study.sample.result).shape;
  study.e = weighted_sum(builder, study.sample.result, add_weights(study, builder, "w", shape)).value;
  study.first = gradients_or_zeros(builder, study.e, study.leaves);
  Expr e2 = constant(builder, 0, TensorType{DType::kF64, {}});
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    const Shape leaf_shape = graph.type(study.leaves[i]).shape;
    const ValueId u = add_weights(study, builder, fmt::format("u{}", i), leaf_shape);
    e2 = e2 + weighted_sum(builder, study.first[i], u);
  }
  study.e2 = e2.value;
  study.second = gradients_or_zeros(builder, study.e2, study.leaves);
  graph.outputs = {{"e", study.e}, {"e2", study.e2}};
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    graph.outputs.push_back({fmt::format("first{}", i), study.first[i]});
    graph.outputs.push_back({fmt::format("second{}", i), study.second[i]});
  }
  return study;
}

void randomize(Environment<double>& environment, const Graph& graph, const std::vector<ValueId>& leaves,
               std::mt19937_64& random) {
  for (const ValueId leaf : leaves) {
    for (double& x : leaf_values(environment, graph[leaf]).elements) x = signed_unit(random);
  }
}

/// Both sides of <w, J v> = <J^T w, v>, and the size of the terms that were added.
struct Comparison {
  double forward = 0;
  double reverse = 0;
  double scale = 0;
};

void add_terms(Comparison& comparison, const Tensor<double>& gradient, const Tensor<double>& direction) {
  for (std::size_t i = 0; i < gradient.elements.size(); ++i) {
    const double term = gradient.elements[i] * direction.elements[i];
    comparison.reverse += term;
    comparison.scale += std::abs(term);
  }
}

bool agrees(const Comparison& comparison, double tolerance) {
  const double scale = std::max({comparison.scale, std::abs(comparison.forward), 1.0});
  return test::is_near(comparison.reverse, comparison.forward, tolerance * scale);
}

/// The environment with the derivative `direction` at the leaves.
Environment<Dual> along(const Study& study, const std::vector<Tensor<double>>& direction) {
  Environment<Dual> dual = converted<Dual>(study.sample.environment);
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    Tensor<Dual>& values = leaf_values(dual, study.sample.graph[study.leaves[i]]);
    for (std::size_t k = 0; k < values.elements.size(); ++k) {
      values.elements[k].derivative = direction[i].elements[k];
    }
  }
  return dual;
}

std::vector<Tensor<double>> random_direction(Study& study, std::mt19937_64& random) {
  std::vector<Tensor<double>> direction;
  for (const ValueId leaf : study.leaves) {
    direction.push_back(leaf_values(study.sample.environment, study.sample.graph[leaf]));
    for (double& x : direction.back().elements) x = signed_unit(random);
  }
  return direction;
}

void check_direction(Study& study, std::mt19937_64& random) {
  randomize(study.sample.environment, study.sample.graph, study.weights, random);
  const std::vector<Tensor<double>> direction = random_direction(study, random);
  const auto duals = interpret(study.sample.graph, along(study, direction));
  const auto values = interpret(study.sample.graph, study.sample.environment);
  Comparison once;
  Comparison twice;
  once.forward = duals[study.e].elements[0].derivative;
  twice.forward = duals[study.e2].elements[0].derivative;
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    add_terms(once, values[study.first[i]], direction[i]);
    add_terms(twice, values[study.second[i]], direction[i]);
  }
  INFO(fmt::format("forward {:.17g}, reverse {:.17g}, scale {:g}", once.forward, once.reverse, once.scale));
  CHECK(agrees(once, 1e-12));
  INFO(fmt::format("second: forward {:.17g}, reverse {:.17g}", twice.forward, twice.reverse));
  CHECK(agrees(twice, 1e-11));
}

double value_at(const Study& study, const std::vector<Tensor<double>>& direction, double step) {
  Environment<double> moved = study.sample.environment;
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    Tensor<double>& values = leaf_values(moved, study.sample.graph[study.leaves[i]]);
    for (std::size_t k = 0; k < values.elements.size(); ++k) {
      values.elements[k] += step * direction[i].elements[k];
    }
  }
  return interpret(study.sample.graph, moved)[study.e].elements[0];
}

void check_differences(Study& study, std::mt19937_64& random) {
  randomize(study.sample.environment, study.sample.graph, study.weights, random);
  const std::vector<Tensor<double>> direction = random_direction(study, random);
  constexpr double kStep = 2e-4;
  Comparison comparison;
  comparison.forward = (8 * (value_at(study, direction, kStep) - value_at(study, direction, -kStep)) -
                        (value_at(study, direction, 2 * kStep) - value_at(study, direction, -2 * kStep))) /
                       (12 * kStep);
  const auto values = interpret(study.sample.graph, study.sample.environment);
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    add_terms(comparison, values[study.first[i]], direction[i]);
  }
  INFO(fmt::format("differences {:.17g}, symbolic {:.17g}", comparison.forward, comparison.reverse));
  CHECK(agrees(comparison, 1e-9));
}

void check_case(const OpDef& op, const SampleCase& sample) {
  for (const Regime regime : kRegimes) {
    Study study = make_study({op, sample, regime});
    std::mt19937_64 random(7);
    INFO(study.sample.title);
    for (int i = 0; i < kDirections; ++i) check_direction(study, random);
  }
}

}  // namespace

TEST_CASE("gradients agree with dual numbers for every op, case, regime and direction") {
  for (const OpDef* op : all_ops()) {
    if (!is_differentiated(*op)) continue;
    const std::vector<SampleCase> cases = sample_cases(*op);
    CHECK(cases.size() >= 3);
    for (const SampleCase& sample : cases) check_case(*op, sample);
  }
}

TEST_CASE("gradients agree with 5-point differences away from kinks") {
  for (const OpDef* op : all_ops()) {
    if (!is_differentiated(*op) || !op->sample.is_smooth) continue;
    for (const SampleCase& sample : sample_cases(*op)) {
      Study study = make_study({*op, sample});
      std::mt19937_64 random(11);
      INFO(study.sample.title);
      for (int i = 0; i < kDirections; ++i) check_differences(study, random);
    }
  }
}

}  // namespace dlg
