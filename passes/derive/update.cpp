#include "passes/derive/update.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "ir/graph/rewriter.h"
#include "ir/graph/state_values.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "passes/derive/accumulate.h"
#include "passes/derive/differentiate.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

/// The name of the value that reads a state, else the last part of its path: `W1`, `W1.s`.
std::string state_name(const Graph& graph, std::string_view path) {
  const ValueId value = find_state_value(graph, path);
  const bool is_named = value.is_valid() && !graph.name(value).empty();
  return is_named ? graph.name(value) : std::string(last_path_part(path));
}

/// Replays a rule over all parameters of one graph and collects what it writes.
class Replay final : public UpdateScope {
 public:
  Replay(Graph& graph, const std::vector<std::string>& frozen) : graph_(graph), builder_(graph) {
    for (const StateId id : graph.states.ids()) {
      if (graph.states[id].kind == StateKind::kParameter) add_parameter(id, frozen);
    }
    step_state_ = add_state({"step", TensorType{DType::kF64, {}}, StateKind::kStep, {}, {}});
    const Expr before{&builder_, read(step_state_)};
    builder_.set_name(before.value, "step");
    step_after_ = step_ = (before + (has_defect(Defect::kStepOffByOne) ? 0.0 : 1.0)).value;
    builder_.set_name(step_, "step.new");
  }

  Builder& builder() override { return builder_; }
  std::size_t parameter_count() const override { return parameters_.size(); }
  const std::string& path(std::size_t parameter) const override { return parameters_[parameter].path; }
  ValueId theta(std::size_t parameter) override { return parameters_[parameter].theta; }
  ValueId step() override { return step_; }
  ValueId hyper(const std::string& name) override;
  ValueId state(std::size_t parameter, const std::string& name, double initial) override;
  ValueId scalar_state(const std::string& name, double initial) override;
  ValueId loss() override;
  std::vector<ValueId> gradient(const std::vector<ValueId>& points) override;
  ValueId hessian(const std::vector<ValueId>& points) override;
  std::vector<ValueId> derivatives(ValueId e, const std::vector<ValueId>& by) override;
  void set_theta(std::size_t parameter, ValueId value) override;
  void set_state(std::size_t parameter, const std::string& name, ValueId value) override;
  void set_scalar_state(const std::string& name, ValueId value) override;

  /// What the step counter is at the end of the step, if not the number of this update.
  void set_step(ValueId value) { step_after_ = value; }
  ValueId step_before() { return read(step_state_); }

  /// One effect per written state, in the order of the states. A parameter that the rule does not write
  /// keeps its value.
  std::vector<Effect> effects() const;

 private:
  struct Parameter {
    StateId state;
    std::string path;
    ValueId theta;
    ValueId gradient;  // at the parameters themselves
  };

  void add_parameter(StateId id, const std::vector<std::string>& frozen);
  StateId add_state(State state);
  ValueId read(StateId id);
  void write(StateId id, ValueId value);
  std::vector<ValueId> at_points(std::vector<ValueId> here, const std::vector<ValueId>& points);

  Graph& graph_;
  Builder builder_;
  std::vector<Parameter> parameters_;
  std::vector<Parameter> frozen_;
  StateId step_state_;
  ValueId step_;
  ValueId step_after_;
  std::map<StateId, ValueId> written_;
};

void Replay::add_parameter(StateId id, const std::vector<std::string>& frozen) {
  const ValueId theta = read(id);
  const std::string path = graph_.states[id].path;
  const std::optional<ValueId> found = graph_.find_output(gradient_output(path));
  // A parameter without a path to the loss has a gradient of zero; the frontend reports it as a mistake.
  const ValueId gradient = found ? *found : constant(builder_, 0, builder_.type(theta)).value;
  const bool is_frozen = std::find(frozen.begin(), frozen.end(), path) != frozen.end();
  (is_frozen ? frozen_ : parameters_).push_back({id, path, theta, gradient});
}

StateId Replay::add_state(State state) {
  const std::optional<StateId> known = graph_.find_state(state.path);
  return known ? *known : graph_.states.add(std::move(state));
}

ValueId Replay::read(StateId id) {
  const State& state = graph_.states[id];
  return builder_.add(ops::state, {}, LeafPath{state.path}, state.type);
}

ValueId Replay::hyper(const std::string& name) {
  DLG_CHECK(graph_.find_hyper(name) != nullptr, fmt::format("the rule has no hyper-parameter {}", name));
  const ValueId value = builder_.add(ops::hyper, {}, HyperName{name}, TensorType{DType::kF64, {}});
  if (graph_.name(value).empty()) builder_.set_name(value, std::string(last_path_part(name)));
  return value;
}

ValueId Replay::state(std::size_t parameter, const std::string& name, double initial) {
  const Parameter& p = parameters_[parameter];
  const State& theta = graph_.states[p.state];
  const Initializer start{.kind = Initializer::Kind::kConstant, .a = initial, .b = 0, .literal = {}};
  const StateId id =
      add_state({fmt::format("{}.{}", p.path, name), theta.type, StateKind::kOptimizer, start, theta.origin});
  const ValueId value = read(id);
  if (graph_.name(value).empty()) {
    builder_.set_name(value, fmt::format("{}.{}", state_name(graph_, p.path), name));
  }
  return value;
}

ValueId Replay::scalar_state(const std::string& name, double initial) {
  const Initializer start{.kind = Initializer::Kind::kConstant, .a = initial, .b = 0, .literal = {}};
  const ValueId value =
      read(add_state({rule_state_path(name), TensorType{DType::kF64, {}}, StateKind::kOptimizer, start, {}}));
  if (graph_.name(value).empty()) builder_.set_name(value, name);
  return value;
}

ValueId Replay::loss() {
  const std::optional<ValueId> loss = graph_.find_output("loss");
  DLG_CHECK(loss.has_value(), "a rule that reads the loss needs one");
  return *loss;
}

std::vector<ValueId> Replay::gradient(const std::vector<ValueId>& points) {
  std::vector<ValueId> here;
  for (const Parameter& parameter : parameters_) here.push_back(parameter.gradient);
  return at_points(std::move(here), points);
}

/// Values that are functions of the parameters, with the points in their place.
std::vector<ValueId> Replay::at_points(std::vector<ValueId> here, const std::vector<ValueId>& points) {
  DLG_CHECK(points.size() == parameters_.size(), "a gradient needs one point per parameter");
  std::vector<std::pair<ValueId, ValueId>> moved;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool is_moved = points[i] != parameters_[i].theta && !has_defect(Defect::kGradientHere);
    if (is_moved) moved.emplace_back(parameters_[i].theta, points[i]);
  }
  // The gradient graph is a function of the parameters: with the points in their place it is the gradient
  // there, forward part included.
  return moved.empty() ? here : clone_with(builder_, here, moved);
}

ValueId Replay::hessian(const std::vector<ValueId>& points) {
  std::vector<ValueId> thetas;
  std::vector<ValueId> first;
  for (const Parameter& parameter : parameters_) {
    thetas.push_back(parameter.theta);
    first.push_back(parameter.gradient);
  }
  const ValueId matrix = second_derivatives(builder_, first, thetas);
  builder_.set_name(matrix, "hessian");
  return at_points({matrix}, points).front();
}

std::vector<ValueId> Replay::derivatives(ValueId e, const std::vector<ValueId>& by) {
  const std::vector<std::optional<ValueId>> found = gradients(builder_, e, by);
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < by.size(); ++i) {
    values.push_back(found[i] ? *found[i] : constant(builder_, 0, builder_.type(by[i])).value);
  }
  return values;
}

void Replay::write(StateId id, ValueId value) {
  const State& state = graph_.states[id];
  DLG_CHECK(builder_.type(value) == state.type,
            fmt::format("{} of type {} gets a value of type {}", state.path, type_text(state.type),
                        type_text(builder_.type(value))));
  written_[id] = value;
}

void Replay::set_theta(std::size_t parameter, ValueId value) {
  write(parameters_[parameter].state, value);
}

void Replay::set_state(std::size_t parameter, const std::string& name, ValueId value) {
  const std::string path = fmt::format("{}.{}", parameters_[parameter].path, name);
  const std::optional<StateId> id = graph_.find_state(path);
  DLG_CHECK(id.has_value(), fmt::format("the rule writes {} before it declares it", path));
  const bool has_sibling = !written_.empty() && graph_.states[written_.rbegin()->first].path.starts_with(
                                                    parameters_[parameter].path + ".");
  if (has_sibling && has_defect(Defect::kSwappedStates)) std::swap(value, written_.rbegin()->second);
  write(*id, value);
}

void Replay::set_scalar_state(const std::string& name, ValueId value) {
  const std::optional<StateId> id = graph_.find_state(rule_state_path(name));
  DLG_CHECK(id.has_value(), fmt::format("the rule writes {} before it declares it", name));
  write(*id, value);
}

std::vector<Effect> Replay::effects() const {
  std::vector<Effect> effects;
  std::map<StateId, ValueId> all = written_;
  all[step_state_] = step_after_;
  for (const Parameter& p : parameters_) all.try_emplace(p.state, p.theta);
  for (const Parameter& p : frozen_) all.try_emplace(p.state, p.theta);
  for (const auto& [state, value] : all) effects.push_back({state, value});
  if (has_defect(Defect::kLostEffect)) effects.pop_back();
  return effects;
}

}  // namespace

Graph apply_update(const Graph& graph, const UpdateRule& rule) {
  Graph result = graph;
  for (const Hyper& hyper : rule.hypers) {
    if (result.find_hyper(hyper.name) == nullptr) result.hypers.push_back(hyper);
  }
  Replay replay(result, rule.frozen);
  if (rule.is_accumulated) {
    Accumulation accumulation(replay, replay.step_before());
    rule.apply(accumulation);
    replay.set_step(accumulation.step_after());
  } else {
    rule.apply(replay);
  }
  result.effects = replay.effects();
  for (const Effect& effect : result.effects) {
    const std::string& path = result.states[effect.state].path;
    const bool keeps = find_state_value(result, path) == effect.value;
    if (!keeps) replay.builder().set_name(effect.value, fmt::format("{}.new", state_name(result, path)));
  }
  std::erase_if(result.outputs, [](const Output& output) { return is_gradient_output(output.name); });
  return compact(result);
}

}  // namespace dlg
