#include "tests/random_graphs/checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "ir/graph/state_values.h"
#include "ir/graph/text.h"
#include "ir/graph/verify.h"
#include "ir/ops/registry.h"
#include "passes/derive/differentiate.h"
#include "passes/pipeline.h"
#include "tests/engines/engines.h"
#include "tests/near.h"
#include "tests/random_graphs/random.h"

namespace dlg::test {
namespace {

/// Two computations of one derivative in f64, relative to the sum of the magnitudes of its terms.
constexpr double kDerivativeTolerance = 1e-12;

Failure differing(const Tensor<double>& a, const Tensor<double>& b) {
  if (a.shape != b.shape) return fmt::format("shape {} became {}", shape_text(a.shape), shape_text(b.shape));
  for (std::size_t i = 0; i < a.elements.size(); ++i) {
    if (is_same_number(a.elements[i], b.elements[i])) continue;
    return fmt::format("element {}: {} became {}", i, a.elements[i], b.elements[i]);
  }
  return std::nullopt;
}

/// What a graph gives: outputs by name, effects by `<- path`.
Tensors results_of(const Graph& graph, const Environment<double>& environment) {
  const auto values = interpret(graph, environment);
  Tensors results;
  for (const Output& output : graph.outputs) results[output.name] = values[output.value];
  for (const Effect& effect : graph.effects)
    results["<- " + graph.states[effect.state].path] = values[effect.value];
  return results;
}

/// Everything in `before` that is no gradient output must be in `after`, with the same bits.
Failure check_kept(const Tensors& before, const Tensors& after) {
  for (const auto& [name, tensor] : before) {
    if (is_gradient_output(name)) continue;
    const auto found = after.find(name);
    if (found == after.end()) return fmt::format("`{}` is lost", name);
    if (const Failure failure = differing(tensor, found->second))
      return fmt::format("`{}`, {}", name, *failure);
  }
  return std::nullopt;
}

Failure check_text(const Graph& graph) {
  const std::string text = print_graph(graph, Sources());
  Sources sources;
  Diagnostics diagnostics;
  const std::optional<Graph> parsed = parse_graph(sources, sources.add("random.ir", text), diagnostics);
  if (!parsed) return fmt::format("the text does not parse: {}\n{}", diagnostics.all().front().message, text);
  const bool is_same_text = print_graph(*parsed, sources) == text;
  return is_same_text ? std::nullopt : Failure("the text printed again has other bytes:\n" + text);
}

Failure check_form(const Graph& graph, Stage stage) {
  if (const std::optional<std::string> broken = verify(graph, stage)) return *broken;
  return check_text(graph);
}

std::vector<std::string> parameters_of(const Graph& graph) {
  std::vector<std::string> paths;
  for (const State& state : graph.states) {
    if (state.kind == StateKind::kParameter) paths.push_back(state.path);
  }
  return paths;
}

Tensor<double> zeros_like(const Tensor<double>& like) {
  return {like.shape, std::vector<double>(like.elements.size(), 0)};
}

/// Gradients of all parameters at given points, read off the differentiated graph; zero without a path.
Tensors gradients_at(const Graph& backward, Environment<double> environment, const Tensors& points) {
  for (const auto& [path, tensor] : points) environment.states[path] = tensor;
  const Tensors results = results_of(backward, environment);
  Tensors gradients;
  for (const auto& [path, tensor] : points) {
    const auto found = results.find(gradient_output(path));
    gradients[path] = found == results.end() ? zeros_like(tensor) : found->second;
  }
  return gradients;
}

Environment<Dual> with_direction(const Environment<double>& from, const Tensors& direction) {
  Environment<Dual> to;
  to.rows = from.rows;
  for (const auto& [path, tensor] : from.states) {
    const auto found = direction.find(path);
    Tensor<Dual>& copy = to.states[path] = {tensor.shape, {}};
    for (std::size_t i = 0; i < tensor.elements.size(); ++i) {
      copy.elements.push_back({tensor.elements[i], found == direction.end() ? 0 : found->second.elements[i]});
    }
  }
  for (const auto& [path, tensor] : from.inputs) {
    Tensor<Dual>& copy = to.inputs[path] = {tensor.shape, {}};
    for (const double x : tensor.elements) copy.elements.push_back({x, 0});
  }
  for (const auto& [name, value] : from.hypers) to.hypers[name] = {value, 0};
  return to;
}

/// The slope of the loss along a random direction, once from the gradients and once from dual numbers.
Failure check_slope(const Graph& backward, const RandomGraph& random) {
  Random numbers(random.seed + 1);
  Tensors direction;
  for (const std::string& path : parameters_of(backward)) {
    Tensor<double> tensor = zeros_like(random.environment.states.at(path));
    for (double& x : tensor.elements) x = numbers.uniform(-1, 1);
    direction[path] = std::move(tensor);
  }
  Tensors here;
  for (const auto& entry : direction) here[entry.first] = random.environment.states.at(entry.first);
  double slope = 0;
  double size = 1e-5;  // Roundings of sums that cancel leave this much of the tolerance.
  for (const auto& [path, gradient] : gradients_at(backward, random.environment, here)) {
    for (std::size_t i = 0; i < gradient.elements.size(); ++i) {
      const double term = gradient.elements[i] * direction[path].elements[i];
      slope += term;
      size += std::abs(term);
    }
  }
  const auto duals = interpret(backward, with_direction(random.environment, direction));
  const double expected = duals[*backward.find_output("loss")].elements[0].derivative;
  const double tolerance = kDerivativeTolerance * std::max(size, std::abs(expected));
  if (is_near(slope, expected, tolerance)) return std::nullopt;
  return fmt::format("the slope of the loss is {}, by dual numbers {}", slope, expected);
}

Failure check_effects(const Graph& backward, const Graph& updated, const TestRule& rule,
                      const Environment<double>& environment) {
  const Tensors results = results_of(updated, environment);
  const auto gradient = [&](const Tensors& points) { return gradients_at(backward, environment, points); };
  Tensors expected = rule.expected(environment, parameters_of(updated), gradient);
  Tensor<double> step = environment.states.at("step");
  step.elements[0] += 1;
  expected["step"] = step;
  // What the graph writes by itself no rule touches.
  const Tensors own = results_of(backward, environment);
  for (const Effect& effect : backward.effects) {
    const std::string& path = backward.states[effect.state].path;
    expected[path] = own.at("<- " + path);
  }
  if (updated.effects.size() != expected.size()) return "another number of effects than the rule has";
  for (const auto& [path, tensor] : expected) {
    const auto found = results.find("<- " + path);
    if (found == results.end()) return fmt::format("no effect on `{}`", path);
    if (const Failure failure = differing(tensor, found->second))
      return fmt::format("`{}` by the rule, {}", path, *failure);
  }
  return std::nullopt;
}

Failure at_stage(std::string_view stage, const Failure& failure) {
  return failure ? Failure(fmt::format("{}: {}", stage, *failure)) : std::nullopt;
}

}  // namespace

const TestRule& rule_of(const RandomGraph& random) {
  return test_rules()[random.seed % test_rules().size()];
}

Environment<double> environment_of(const Graph& updated, const RandomGraph& random) {
  Environment<double> environment = random.environment;
  Random numbers(random.seed + 2);
  for (const State& state : updated.states) {
    if (environment.states.count(state.path) > 0) continue;
    Tensor<double>& tensor = environment.states[state.path] = {state.type.shape, {}};
    const bool is_step = state.kind == StateKind::kStep;
    for (std::int64_t i = 0; i < state.type.shape.elements(); ++i) {
      const double number = static_cast<double>(static_cast<float>(numbers.uniform(-1, 1)));
      tensor.elements.push_back(is_step ? 6 : number);
    }
  }
  for (const Hyper& hyper : updated.hypers) environment.hypers[hyper.name] = hyper.value;
  return environment;
}

Failure check_graph_passes(const RandomGraph& random) {
  if (const Failure failure = check_form(random.graph, Stage::kGraph)) return at_stage("graph", failure);
  const TestRule& rule = rule_of(random);
  const UpdateRule update = elaborated(rule.rule, random.graph);
  const PassContext context{.rule = &update, .fusion = random.seed / 4 % 4 == 0 ? Fusion::kOff : Fusion::kOn};
  // Where nothing needs resolving, the numbers come from the graph as it was drawn.
  const bool is_plain = std::none_of(random.graph.nodes.begin(), random.graph.nodes.end(),
                                     [](const Node& node) { return node.op == &ops::gradient; });
  Tensors before = results_of(is_plain ? random.graph : resolve_gradients(random.graph), random.environment);
  Graph current = random.graph;
  Graph backward;
  for (const PassInfo& pass : graph_pipeline()) {
    current = pass.run(current, context);
    if (const Failure failure = check_form(current, pass.stage)) return at_stage(pass.name, failure);
    const Environment<double> environment = environment_of(current, random);
    const Tensors after = results_of(current, environment);
    if (const Failure failure = check_kept(before, after)) return at_stage(pass.name, failure);
    if (pass.name == "differentiate") {
      backward = current;
      if (const Failure failure = check_slope(current, random)) return at_stage(pass.name, failure);
    }
    if (pass.name == "update") {
      const Failure failure = check_effects(backward, current, rule, environment);
      if (failure) return at_stage(pass.name, failure);
    }
    before = after;
  }
  return std::nullopt;
}

}  // namespace dlg::test
