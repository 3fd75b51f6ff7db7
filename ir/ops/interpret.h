// Owns the reference interpreter: one plain loop per op, templated on the number type. It is the oracle of
// all tests and shares no code with passes or codegen. Its batch is always `rows`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/graph/graph.h"
#include "ir/ops/number.h"

namespace dlg {

/// A tensor in the interpreter: row-major elements. Integers and bools are exact in every number type.
template <class Number>
struct Tensor {
  Shape shape;  // without kBatch
  std::vector<Number> elements;
};

/// What a graph reads from outside, by path.
template <class Number>
struct Environment {
  std::int64_t rows = 1;
  std::unordered_map<std::string, Tensor<Number>> states;
  std::unordered_map<std::string, Tensor<Number>> inputs;
  std::unordered_map<std::string, Number> hypers;
};

/// The value of every live node, in f64 arithmetic of `Number` whatever the declared float dtype (f32
/// constants stay f64). `Number` is double, Dual (number.h), SecondDual or Bound. `gradient` nodes are not
/// evaluated: differentiate first.
template <class Number>
IdVector<ValueId, Tensor<Number>> interpret(const Graph& graph, const Environment<Number>& environment);

extern template IdVector<ValueId, Tensor<double>> interpret(const Graph&, const Environment<double>&);
extern template IdVector<ValueId, Tensor<Dual>> interpret(const Graph&, const Environment<Dual>&);
extern template IdVector<ValueId, Tensor<SecondDual>> interpret(const Graph&, const Environment<SecondDual>&);
extern template IdVector<ValueId, Tensor<Bound>> interpret(const Graph&, const Environment<Bound>&);

/// Bytes that `interpret` holds at its end in f64: every live value, and every one that a composite is made
/// of. `graph` is well-formed.
std::int64_t interpreter_bytes(const Graph& graph, std::int64_t rows);

/// How much `interpret` does with so many rows: the points of all contractions, and the elements that other
/// nodes read or make. `graph` is well-formed.
std::int64_t interpreter_work(const Graph& graph, std::int64_t rows);

/// Reads states (their literal or constant initial values), inputs (literals) and hypers from the graph
/// itself; what has none gets small deterministic numbers from its path. `rows` is the number of literal
/// rows, at most the batch.
Environment<double> default_environment(const Graph& graph);

}  // namespace dlg
