#include "driver/race/resolution.h"

#include <algorithm>
#include <cmath>

#include "driver/engine/inspection.h"
#include "driver/engine/programs.h"
#include "ir/graph/state_values.h"
#include "passes/derive/differentiate.h"

namespace dlg {
namespace {

Graph loss_graph(const CheckedProgram& program, std::int64_t rows) {
  Graph graph = training_graph(program, std::max<std::int64_t>(1, rows));
  graph.outputs = {{"loss", *graph.find_output("loss")}};
  return resolve_gradients(graph);
}

/// Numbers as they are stored: those of a state exact, those of the data rounded once.
Tensor<Bound> bounds_of(const TensorType& type, Shape shape, std::span<const double> values,
                        Rounding rounding) {
  const double unit = unit_of(type.dtype);
  Tensor<Bound> tensor{std::move(shape), {}};
  for (const double x : values) {
    tensor.elements.push_back({x, rounding == Rounding::kExact ? 0 : unit * std::abs(x), unit});
  }
  return tensor;
}

}  // namespace

Resolution::Resolution(const TrainingSetup& setup)
    : graph_(loss_graph(setup.program, setup.data.rows)),
      parameters_(trained_parameters(setup.program.graph)) {
  const std::vector<std::int64_t>& rows = setup.data.parts.train;
  environment_.rows = std::max<std::int64_t>(1, static_cast<std::int64_t>(rows.size()));
  const StateValues states = initial_states(setup.program.graph, setup.plan.seed);
  for (const State& state : graph_.states) {
    const auto found = states.find(state.path);
    if (found == states.end()) continue;
    environment_.states[state.path] =
        bounds_of(state.type, state.type.shape, found->second, Rounding::kExact);
  }
  const std::map<std::string, std::vector<double>> fields = setup.data.all_values();
  for (const Input& input : graph_.inputs) {
    const auto elements = static_cast<std::size_t>(input.type.shape.elements(1));
    std::vector<double> picked;
    for (const std::int64_t row : rows) {
      const auto begin = fields.at(input.path).begin() +
                         static_cast<std::ptrdiff_t>(static_cast<std::size_t>(row) * elements);
      picked.insert(picked.end(), begin, begin + static_cast<std::ptrdiff_t>(elements));
    }
    environment_.inputs[input.path] =
        bounds_of(input.type, input.type.shape.at(environment_.rows), picked, Rounding::kOnce);
  }
  for (const Hyper& hyper : graph_.hypers) {
    environment_.hypers[hyper.name] = {hyper.value, 0, unit_of(DType::kF64)};
  }
}

double Resolution::at(const std::vector<double>& point) const {
  Environment<Bound> here = environment_;
  std::span<const double> rest(point);
  for (const State& state : parameters_) {
    const auto count = static_cast<std::size_t>(state.type.shape.elements());
    here.states[state.path] = bounds_of(state.type, state.type.shape, rest.first(count), Rounding::kExact);
    rest = rest.subspan(count);
  }
  const Bound loss = interpret(graph_, here)[*graph_.find_output("loss")].elements.front();
  // The bound of the result itself, for constants that the program's dtype rounds too.
  const double error = loss.error + 2 * unit() * std::abs(loss.value);
  return std::isfinite(error) ? error : 0;
}

double Resolution::around(const std::vector<double>& minimum, double largest_curvature) const {
  constexpr double kUlps = 8;
  double square = 0;
  for (const double x : minimum) square += x * x * kUlps * kUlps * unit() * unit();
  return at(minimum) + std::max(0.0, largest_curvature) * square / 2;
}

double Resolution::unit() const {
  return unit_of(parameters_.front().type.dtype);
}

}  // namespace dlg
