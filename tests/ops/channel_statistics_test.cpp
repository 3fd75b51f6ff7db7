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

constexpr std::int64_t kMaps = 9;

/// A graph in the making, and what its leaves hold.
struct Making {
  OpSample sample;
  Builder builder{sample.graph};
  std::mt19937_64 random{7};

  Making(DType type, std::int64_t batch) : dtype(type) {
    sample.graph.batch = batch;
    sample.environment.rows = std::min(batch, kRows);
  }

  Expr leaf(const std::string& name, const Shape& shape) {
    auto& values = shape.has_batch() ? sample.environment.inputs : sample.environment.states;
    std::vector<std::int64_t> dims = shape.dims();
    if (shape.has_batch()) dims.front() = sample.environment.rows;
    Tensor<double> drawn{Shape(dims), {}};
    for (std::int64_t i = 0; i < drawn.shape.elements(); ++i)
      drawn.elements.push_back(static_cast<double>(static_cast<float>(signed_unit(random))));
    values[name] = std::move(drawn);
    const Expr made{&builder, add_leaf(builder, name, {dtype, shape})};
    sample.operands.push_back(made.value);
    return made;
  }

  /// Of three taps, over images of `channels`.
  Expr convolved(Expr image, const std::string& weights, std::int64_t channels) {
    return contract(image, leaf(weights, {kMaps, channels, 3}), contract_labels("bc(h+r-1),ocr->boh"),
                    {kBatch, kMaps, kPlaces});
  }

  OpSample finished(Expr y, std::vector<Output> outputs) {
    sample.graph.outputs = std::move(outputs);
    sample.graph.outputs.push_back({"y", y.value});
    sample.result = y.value;
    add_gradients(sample);
    return std::move(sample);
  }

  DType dtype;
};

/// Two convolutions, each normalised, around a shortcut, and what is asked of the statistics themselves.
OpSample network(DType dtype, std::int64_t batch) {
  Making making(dtype, batch);
  const Expr first = normalised(making.convolved(making.leaf("x", {kBatch, 2, kPlaces}), "k", 2), kMaps);
  const Expr second = normalised(making.convolved(max(first, first * 0.25), "l", kMaps), kMaps);
  return making.finished(second + first, {{"mean", mean(first * second, {0, 2}).value}});
}

/// A pool behind a normalised convolution with a gain for each map: the derivative of the gain is a sum over
/// what windows hand back.
OpSample pooled_network(DType dtype, std::int64_t batch) {
  constexpr std::int64_t kWindows = kPlaces / 2;
  Making making(dtype, batch);
  const Expr y = normalised(making.convolved(making.leaf("x", {kBatch, 2, kPlaces}), "k", 2), kMaps);
  const Expr scaled = y * broadcast(making.leaf("gain", {kMaps}), y.type().shape, {1});
  const Expr kept = max(scaled, scaled * 0.25);
  const Expr seen = windows(kept, contract_labels("bc(2h+r),->bchr"), {kBatch, kMaps, kWindows, 2});
  return making.finished(reduce_max(seen, {3}), {});
}

/// Bits of every way, values of the reference.
void check_ways(const OpSample& sample) {
  std::int64_t workers = 0;
  for (const Way& way : other_ways()) {
    check_way(sample, way, workers);
    workers = (workers + 1) % 4;
  }
}

}  // namespace

TEST_CASE("statistics of a channel between convolutions: bits of every way, values of the reference") {
  const std::int64_t batch = GENERATE(15, 16, 19);
  const DType dtype = GENERATE(DType::kF32, DType::kF64);
  CAPTURE(batch, dtype_name(dtype));
  check_ways(network(dtype, batch));
  check_ways(pooled_network(dtype, batch));
}

TEST_CASE(
    "statistics of a channel and what is made with them are one kernel where the batch lies innermost") {
  const auto kernels = [](std::int64_t batch) {
    return lowered(network(DType::kF32, batch).graph).kernels.size();
  };
  CHECK(kernels(16) < kernels(15));
}

}  // namespace dlg
