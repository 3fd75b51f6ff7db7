#include "tests/ops/convolution_grid.h"

#include <fmt/format.h>

#include <random>

#include "ir/ops/expr.h"
#include "tests/ops/compiled_samples.h"
#include "tests/ops/derivative_study.h"
#include "tests/random_graphs/random.h"

namespace dlg {
namespace {

/// Without a divisor in common with the number of lines: each line meets other ones in every batch.
constexpr std::size_t kShift = 29;

Convolution convolution_at(std::size_t number) {
  const std::size_t line = number % kGridLines;
  Convolution convolution;
  convolution.lines = {line_grid(7)[line]};
  const bool has_columns = number / (kGridLines * kGroupings) % 2 == 1;
  if (has_columns)
    convolution.lines.push_back(line_grid(8)[(line + kShift * (number / kGridShapes)) % kGridLines]);
  convolution.grouping = static_cast<Grouping>(number / kGridLines % kGroupings);
  return convolution;
}

/// Adds a bias for each channel of the result to the samples's operands.
Expr with_bias(OpSample& sample, Expr y, const ContractLabels& labels) {
  std::vector<std::int64_t> axes;
  std::vector<std::int64_t> channels;
  for (std::size_t axis = 1; axis < labels.result.size(); ++axis) {
    const char label = labels.result[axis].out.label;
    if (label != 'g' && label != 'o') continue;
    axes.push_back(static_cast<std::int64_t>(axis));
    channels.push_back(y.shape()[axis]);
  }
  const ValueId bias = add_leaf(*y.builder, "bias", {y.type().dtype, Shape(channels)});
  sample.operands.push_back(bias);
  Tensor<double>& values = sample.environment.states["bias"] = {Shape(channels), {}};
  for (std::int64_t i = 0; i < values.shape.elements(); ++i)
    values.elements.push_back(static_cast<double>(i % 3) / 4 - 0.125);
  return y + broadcast({y.builder, bias}, y.shape(), axes);
}

/// The sum that `make` makes of a layer becomes the result.
template <class Function>
OpSample layer_at(const GridPoint& point, const Function& function) {
  OpSample sample = contraction_at(point);
  Builder builder(sample.graph);
  const ContractLabels labels = std::get<ContractedAxes>(sample.graph[sample.result].attributes).labels;
  const Shape shape = sample.graph.type(sample.result).shape;
  const Expr image = Expr{&builder, sample.operands[0]} * 0.75;
  const Expr y = contract(image, {&builder, sample.operands[1]}, labels, shape);
  sample.result = function(with_bias(sample, y, labels)).value;
  sample.graph.outputs = {{"y", sample.result}};
  return sample;
}

/// The gradient by this operand becomes a step down the slope.
void descend(OpSample& sample, std::size_t operand) {
  constexpr double kRate = 0.125;
  Builder builder(sample.graph);
  const std::string name = fmt::format("d{}", operand);
  const Expr old{&builder, sample.operands[operand]};
  const Expr slope{&builder, *sample.graph.find_output(name)};
  const StateId state = *sample.graph.find_state(*leaf_path(sample.graph[old.value]));
  // Parameters are written by a rule alone.
  sample.graph.states[state].kind = StateKind::kModel;
  sample.graph.effects.push_back({state, (old - slope * kRate).value});
  std::erase_if(sample.graph.outputs, [&](const Output& output) { return output.name == name; });
}

OpSample training_at(const GridPoint& point) {
  OpSample sample = layer_at(point, [](Expr y) { return max(y, constant_like(y, 0)); });
  add_gradients(sample);
  descend(sample, 1);
  descend(sample, 2);
  return sample;
}

OpSample second_at(const GridPoint& point) {
  DerivativeStudy study = study_of(smooth_at(point));
  std::mt19937_64 random(point.number + 1);
  randomize(study, study.weights, random);
  return std::move(study.sample);
}

}  // namespace

GridPoint grid_point(std::size_t number) {
  test::Random random(number + 1);
  GridPoint point;
  point.number = number;
  point.convolution = convolution_at(number);
  point.convolution.order = random.chance(0.5) ? ChannelOrder::kLast : ChannelOrder::kFirst;
  point.convolution.channels = 1 + static_cast<std::int64_t>(random.below(3));
  // Sums in lanes or in chains.
  point.convolution.maps = random.chance(0.5) ? 3 : 9;
  point.batch = kGridBatches.at(number / kGridShapes);
  point.rows = {point.batch};
  const auto fewer = static_cast<std::size_t>(point.batch - 1);
  if (fewer > 0) point.rows.push_back(1 + static_cast<std::int64_t>(random.below(fewer)));
  point.dtype = random.chance(0.5) ? DType::kF32 : DType::kF64;
  return point;
}

bool is_corner(std::size_t number) {
  const Convolution convolution = convolution_at(number);
  const Line& line = convolution.lines.front();
  const bool is_between = line.taps == 2 || line.taps == 3 || line.stride == 2 || line.pad == 1;
  return number < kGridShapes && !is_between && convolution.grouping != Grouping::kTwo;
}

GridPoint small_point(std::size_t shape) {
  GridPoint point = grid_point(shape);
  point.batch = 2;
  point.rows = {2};
  point.dtype = DType::kF64;
  return point;
}

OpSample contraction_at(const GridPoint& point) {
  const SampleCase sample_case = sample_of(point.convolution);
  return make_sample({.op = ops::contract,
                      .sample = sample_case,
                      .float_dtype = point.dtype,
                      .seed = point.number + 1,
                      .batch = point.batch,
                      .rows = point.batch});
}

OpSample smooth_at(const GridPoint& point) {
  return layer_at(point, [](Expr y) { return tanh(y); });
}

OpSample step_at(const GridPoint& point, GridStep step) {
  if (step == GridStep::kTraining) return training_at(point);
  if (step == GridStep::kSecond) return second_at(point);
  OpSample sample = contraction_at(point);
  add_gradients(sample);
  return sample;
}

}  // namespace dlg
