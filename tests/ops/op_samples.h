// Owns the samples of the generated op tests: one small graph per op, case and value regime, with its values.
#pragma once

#include <random>
#include <string>

#include "ir/graph/builder.h"
#include "ir/ops/interpret.h"
#include "ir/ops/registry.h"

namespace dlg {

enum class Regime : std::uint8_t {
  kOrdinary,  // the op's sample domain
  kTiny,      // a hundred-millionth of it
  kLarge,     // thirty times it
  kSpecial,   // zeros, ones, ends of the domain, many ties
};
inline constexpr Regime kRegimes[] = {Regime::kOrdinary, Regime::kTiny, Regime::kLarge, Regime::kSpecial};

std::string_view regime_name(Regime regime);

/// A graph with one node of `op` on leaves x0, x1, ... (states, or inputs where they have a batch).
struct OpSample {
  std::string title;
  Graph graph;
  std::vector<ValueId> operands;
  ValueId result;
  Environment<double> environment;
};

/// The op's own cases, or [], [7], [3, 5], [*batch, 4] for element-wise ops.
std::vector<SampleCase> sample_cases(const OpDef& op);

/// `float_dtype` takes the place of f64 in the case; values are exact in it. The last batch is ragged.
struct SampleRequest {
  const OpDef& op;
  const SampleCase& sample;
  Regime regime = Regime::kOrdinary;
  DType float_dtype = DType::kF64;
  std::uint64_t seed = 1;
  std::int64_t batch = 19;
  std::int64_t rows = 18;
};
OpSample make_sample(const SampleRequest& request);

/// Adds a leaf under `path`: an input where `type` has a batch, else a state.
ValueId add_leaf(Builder& builder, const std::string& path, const TensorType& type);
/// Where the environment holds the values of such a leaf.
template <class Number>
Tensor<Number>& leaf_values(Environment<Number>& environment, const Node& leaf) {
  const std::string& path = *leaf_path(leaf);
  const bool is_input = environment.inputs.count(path) > 0;
  return is_input ? environment.inputs[path] : environment.states[path];
}

/// The same values as another number type, without derivative or error.
template <class Number>
Environment<Number> converted(const Environment<double>& from) {
  const auto convert = [](const Tensor<double>& tensor) {
    Tensor<Number> copy{tensor.shape, {}};
    for (const double x : tensor.elements) copy.elements.push_back(Number{x});
    return copy;
  };
  Environment<Number> to;
  to.rows = from.rows;
  for (const auto& [path, tensor] : from.states) to.states[path] = convert(tensor);
  for (const auto& [path, tensor] : from.inputs) to.inputs[path] = convert(tensor);
  for (const auto& [name, value] : from.hypers) to.hypers[name] = Number{value};
  return to;
}

/// Uniform in [-1, 1), the same on every machine.
double signed_unit(std::mt19937_64& random);

}  // namespace dlg
