// Owns the tests of statistics of a channel between convolutions: kernels that go over one channel after the
// other, store values of fewer axes, compute an element twice and lie in other orders than their neighbours.
#include <algorithm>
#include <random>

#include "ir/ops/expr.h"
#include "tests/catch.h"
#include "tests/engines/engines.h"
#include "tests/ops/compiled_samples.h"

namespace dlg {
namespace {

constexpr std::int64_t kRows = 17;
constexpr std::int64_t kPlaces = 7;

Expr normalised(Expr y, std::int64_t maps) {
  const Shape shape{kBatch, maps, kPlaces};
  const Expr centred = y - broadcast(mean(y, {0, 2}), shape, {1});
  const Expr variance = mean(centred * centred, {0, 2});
  return centred / broadcast(sqrt(variance + 0.5), shape, {1});
}

/// Two convolutions, each normalised, around a shortcut, and what is asked of the statistics themselves.
OpSample network(DType dtype, std::int64_t batch) {
  constexpr std::int64_t kMaps = 9;
  Graph graph;
  graph.batch = batch;
  Builder builder(graph);
  const auto leaf = [&](const char* name, const Shape& shape) {
    return Expr{&builder, add_leaf(builder, name, {dtype, shape})};
  };
  const Expr x = leaf("x", {kBatch, 2, kPlaces});
  const Expr k = leaf("k", {kMaps, 2, 3});
  const Expr l = leaf("l", {kMaps, kMaps, 3});
  const ContractLabels labels = contract_labels("bc(h+r-1),ocr->boh");
  const Shape shape{kBatch, kMaps, kPlaces};
  const Expr first = normalised(contract(x, k, labels, shape), kMaps);
  const Expr second = normalised(contract(max(first, first * 0.25), l, labels, shape), kMaps);
  const Expr y = second + first;
  graph.outputs = {{"y", y.value}, {"mean", mean(first * second, {0, 2}).value}};
  OpSample sample;
  sample.environment.rows = std::min(batch, kRows);
  std::mt19937_64 random(7);
  const auto fill = [&](const Shape& of) {
    Tensor<double> values{of, {}};
    for (std::int64_t i = 0; i < of.elements(); ++i)
      values.elements.push_back(static_cast<double>(static_cast<float>(signed_unit(random))));
    return values;
  };
  sample.environment.inputs["x"] = fill({sample.environment.rows, 2, kPlaces});
  sample.environment.states["k"] = fill({kMaps, 2, 3});
  sample.environment.states["l"] = fill({kMaps, kMaps, 3});
  sample.graph = std::move(graph);
  sample.result = y.value;
  sample.operands = {x.value, k.value, l.value};
  add_gradients(sample);
  return sample;
}

}  // namespace

TEST_CASE("statistics of a channel between convolutions: bits of every way, values of the reference") {
  const std::int64_t batch = GENERATE(15, 16, 19);
  const DType dtype = GENERATE(DType::kF32, DType::kF64);
  const OpSample sample = network(dtype, batch);
  CAPTURE(batch, dtype_name(dtype));
  std::int64_t workers = 0;
  for (const Way& way : other_ways()) {
    check_way(sample, way, workers);
    workers = (workers + 1) % 4;
  }
}

TEST_CASE(
    "statistics of a channel and what is made with them are one kernel where the batch lies innermost") {
  const auto kernels = [](std::int64_t batch) {
    return lowered(network(DType::kF32, batch).graph).kernels.size();
  };
  CHECK(kernels(16) < kernels(15));
}

}  // namespace dlg
