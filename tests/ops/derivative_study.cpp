#include "tests/ops/derivative_study.h"

#include <fmt/format.h>

#include <cmath>

#include "ir/ops/expr.h"
#include "passes/derive/differentiate.h"
#include "tests/axes.h"
#include "tests/near.h"

namespace dlg {
namespace {

Expr weighted_sum(Builder& builder, ValueId value, ValueId weights) {
  const Expr y = cast(Expr{&builder, value}, DType::kF64);
  return sum(y * Expr{&builder, weights}, all_axes(y.shape()));
}

std::vector<ValueId> gradients_or_zeros(Builder& builder, ValueId e, const std::vector<ValueId>& wrt) {
  std::vector<ValueId> values;
  const auto found = gradients(builder, e, wrt);
  for (std::size_t i = 0; i < wrt.size(); ++i) {
    values.push_back(found[i] ? *found[i] : constant_like({&builder, wrt[i]}, 0).value);
  }
  return values;
}

ValueId add_weights(DerivativeStudy& study, Builder& builder, const std::string& path, const Shape& shape) {
  const ValueId leaf = add_leaf(builder, path, TensorType{DType::kF64, shape});
  Environment<double>& environment = study.sample.environment;
  auto& home = shape.has_batch() ? environment.inputs : environment.states;
  const Shape actual = shape.at(environment.rows);
  home[path] = {actual, std::vector<double>(static_cast<std::size_t>(actual.elements()), 0.0)};
  study.weights.push_back(leaf);
  return leaf;
}

/// The environment with the derivative `direction` at the leaves.
Environment<Dual> along(const DerivativeStudy& study, const std::vector<Tensor<double>>& direction) {
  Environment<Dual> dual = converted<Dual>(study.sample.environment);
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    Tensor<Dual>& values = leaf_values(dual, study.sample.graph[study.leaves[i]]);
    for (std::size_t k = 0; k < values.elements.size(); ++k) {
      values.elements[k].derivative = direction[i].elements[k];
    }
  }
  return dual;
}

}  // namespace

DerivativeStudy study_of(OpSample sample) {
  DerivativeStudy study{std::move(sample), {}, {}, {}, {}, {}, {}};
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

void add_terms(AdjointSides& comparison, const Tensor<double>& gradient, const Tensor<double>& direction) {
  for (std::size_t i = 0; i < gradient.elements.size(); ++i) {
    const double term = gradient.elements[i] * direction.elements[i];
    comparison.reverse += term;
    comparison.scale += std::abs(term);
  }
}

bool agrees(const AdjointSides& comparison, double tolerance) {
  const double scale = std::max({comparison.scale, std::abs(comparison.forward), 1.0});
  return test::is_near(comparison.reverse, comparison.forward, tolerance * scale);
}

void randomize(DerivativeStudy& study, const std::vector<ValueId>& leaves, std::mt19937_64& random) {
  for (const ValueId leaf : leaves) {
    for (double& x : leaf_values(study.sample.environment, study.sample.graph[leaf]).elements)
      x = signed_unit(random);
  }
}

std::vector<Tensor<double>> random_direction(DerivativeStudy& study, std::mt19937_64& random) {
  std::vector<Tensor<double>> direction;
  for (const ValueId leaf : study.leaves) {
    direction.push_back(leaf_values(study.sample.environment, study.sample.graph[leaf]));
    for (double& x : direction.back().elements) x = signed_unit(random);
  }
  return direction;
}

Slopes random_slopes(DerivativeStudy& study, std::mt19937_64& random) {
  randomize(study, study.weights, random);
  const std::vector<Tensor<double>> direction = random_direction(study, random);
  const auto duals = interpret(study.sample.graph, along(study, direction));
  const auto values = interpret(study.sample.graph, study.sample.environment);
  Slopes slopes;
  slopes.once.forward = duals[study.e].elements[0].derivative;
  slopes.twice.forward = duals[study.e2].elements[0].derivative;
  for (std::size_t i = 0; i < study.leaves.size(); ++i) {
    add_terms(slopes.once, values[study.first[i]], direction[i]);
    add_terms(slopes.twice, values[study.second[i]], direction[i]);
  }
  return slopes;
}

}  // namespace dlg
