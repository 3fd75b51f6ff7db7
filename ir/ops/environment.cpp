// Owns the environment a graph gives itself: initial values, literal data, and small numbers for the rest.
#include <algorithm>

#include "ir/ops/interpret.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

/// FNV-1a: the same on every machine.
std::uint64_t path_hash(std::string_view path) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : path) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return hash;
}

/// Splitmix64 of the i-th element under a path.
std::uint64_t element_bits(std::uint64_t hash, std::uint64_t i) {
  std::uint64_t z = hash + (i + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30u)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27u)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31u);
}

/// In [-1, 1) for floats, rounded so that f32 holds it; 0 .. limit - 1 for integers.
double small_number(std::uint64_t bits, DType dtype, std::uint64_t limit) {
  if (dtype == DType::kBool) limit = 2;
  if (dtype == DType::kU8) limit = 256;
  if (!is_float(dtype)) return static_cast<double>((bits >> 11u) % limit);
  return static_cast<double>(bits >> 44u) * 0x1p-19 - 1;
}

Tensor<double> small_numbers(std::string_view path, DType dtype, const Shape& shape, std::uint64_t limit) {
  Tensor<double> tensor{shape, {}};
  const std::uint64_t hash = path_hash(path);
  for (std::int64_t i = 0; i < shape.elements(); ++i) {
    tensor.elements.push_back(small_number(element_bits(hash, static_cast<std::uint64_t>(i)), dtype, limit));
  }
  return tensor;
}

Tensor<double> initial_value(const State& state) {
  using Kind = Initializer::Kind;
  if (state.initial.kind == Kind::kLiteral) return {state.type.shape, state.initial.literal};
  if (state.initial.kind != Kind::kConstant) {
    return small_numbers(state.path, state.type.dtype, state.type.shape, 2);
  }
  const auto count = static_cast<std::size_t>(state.type.shape.elements());
  return {state.type.shape, std::vector<double>(count, state.initial.a)};
}

/// The number of rows that a node's integer operands choose from; 0 if the node does not index.
std::int64_t indexed_rows(const Graph& graph, const Node& node) {
  if (node.op == &ops::gather) return graph.type(node.operands[0]).shape[0];
  if (node.op == &ops::scatter_add) return node.type.shape[0];
  return node.op == &ops::one_hot ? node.type.shape.dims().back() : 0;
}

/// Integers that stay inside every table of the graph.
std::uint64_t integer_limit(const Graph& graph) {
  std::int64_t limit = 0;
  for (const Node& node : graph.nodes) {
    const std::int64_t rows = indexed_rows(graph, node);
    if (rows > 0) limit = limit == 0 ? rows : std::min(limit, rows);
  }
  return limit == 0 ? 2 : static_cast<std::uint64_t>(limit);
}

std::int64_t literal_rows(const Graph& graph) {
  for (const Input& input : graph.inputs) {
    if (input.literal.empty()) continue;
    const auto elements = static_cast<std::int64_t>(input.literal.size());
    return std::min(graph.batch, elements / input.type.shape.elements(1));
  }
  return graph.batch;
}

}  // namespace

Environment<double> default_environment(const Graph& graph) {
  Environment<double> environment;
  environment.rows = literal_rows(graph);
  const std::uint64_t limit = integer_limit(graph);
  for (const State& state : graph.states) environment.states[state.path] = initial_value(state);
  for (const Hyper& hyper : graph.hypers) environment.hypers[hyper.name] = hyper.value;
  for (const Input& input : graph.inputs) {
    const Shape shape = input.type.shape.at(environment.rows);
    Tensor<double> values{shape, input.literal};
    if (input.literal.empty()) values = small_numbers(input.path, input.type.dtype, shape, limit);
    values.elements.resize(static_cast<std::size_t>(shape.elements()));
    environment.inputs[input.path] = std::move(values);
  }
  return environment;
}

}  // namespace dlg
