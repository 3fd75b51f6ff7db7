#include "passes/derive/update.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "ir/graph/rewriter.h"
#include "ir/graph/state_values.h"
#include "ir/ops/expr.h"
#include "ir/ops/registry.h"
#include "passes/derive/accumulate.h"
#include "passes/derive/batch_weight.h"
#include "passes/derive/differentiate.h"
#include "support/check.h"
#include "support/defects.h"

namespace dlg {
namespace {

/// Copies a rule into the graph that it updates, node by node; what the rule asks for is answered where its
/// answer is first used.
class Update {
 public:
  Update(Graph& graph, const UpdateRule& rule);

  std::vector<Effect> run();
  Builder& builder() { return builder_; }

 private:
  struct Parameter {
    State state;
    ValueId theta;
    ValueId gradient;  // at the parameters themselves
  };
  /// Of which request a leaf of the rule is the answer, and which one.
  struct Answer {
    std::size_t request;
    std::size_t number;
  };

  Parameter parameter(const State& state);
  ValueId hyper(const std::string& name);
  ValueId copy(ValueId value);
  ValueId answer(const Answer& wanted);
  std::vector<ValueId> answers(const RuleRequest& request);
  std::vector<ValueId> gradient(const std::vector<ValueId>& points);
  ValueId hessian(const std::vector<ValueId>& points);
  std::vector<ValueId> derivatives(ValueId e, const std::vector<ValueId>& by);
  ValueId loss();
  std::vector<ValueId> at_points(const std::vector<ValueId>& here, const std::vector<ValueId>& points);
  ValueId before(const std::string& path);
  void write(const RuleWrite& rule_write);
  void add_fault();

  Graph& graph_;
  const UpdateRule& rule_;
  Builder builder_;
  UpdatedStates states_;
  std::vector<Parameter> parameters_;  // those of the rule, in its order
  std::vector<Parameter> others_;      // frozen
  ValueId step_before_;
  ValueId step_;
  std::optional<Accumulation> accumulation_;
  std::map<ValueId, Answer> answer_of_;
  std::vector<std::vector<ValueId>> answered_;  // by request; empty: not yet
  IdVector<ValueId, ValueId> copies_;
};

Update::Update(Graph& graph, const UpdateRule& rule)
    : graph_(graph),
      rule_(rule),
      builder_(graph),
      states_(builder_),
      answered_(rule.graph.requests.size()),
      copies_(rule.graph.graph.nodes.size()) {
  for (std::size_t i = 0; i < rule.graph.requests.size(); ++i) {
    const std::vector<ValueId>& answers = rule.graph.requests[i].answers;
    for (std::size_t k = 0; k < answers.size(); ++k) answer_of_.emplace(answers[k], Answer{i, k});
  }
  const IdVector<StateId, State> states = graph.states;
  for (const State& state : states) {
    if (state.kind != StateKind::kParameter) continue;
    const bool is_moved = rule.graph.graph.find_state(state.path).has_value();
    (is_moved ? parameters_ : others_).push_back(parameter(state));
  }
  step_before_ = states_.read({kStepState, TensorType{DType::kF64, {}}, StateKind::kStep, {}, {}});
  const Expr before{&builder_, step_before_};
  step_ = (before + (has_defect(Defect::kStepOffByOne) ? 0.0 : 1.0)).value;
  builder_.set_name(step_, "step.new");
  if (rule.is_accumulated) accumulation_.emplace(states_, hyper(kAccumulateHyper));
}

Update::Parameter Update::parameter(const State& state) {
  const ValueId theta = states_.read(state);
  const std::optional<ValueId> found = graph_.find_output(gradient_output(state.path));
  // A parameter without a path to the loss has a gradient of zero; the frontend reports it as a mistake.
  const ValueId gradient = found ? *found : constant(builder_, 0, builder_.type(theta)).value;
  return {state, theta, gradient};
}

ValueId Update::hyper(const std::string& name) {
  DLG_CHECK(graph_.find_hyper(name) != nullptr, fmt::format("the rule has no hyper-parameter {}", name));
  const ValueId value = builder_.add(ops::hyper, {}, HyperName{name}, TensorType{DType::kF64, {}});
  if (graph_.name(value).empty()) builder_.set_name(value, std::string(last_path_part(name)));
  return value;
}

std::vector<Effect> Update::run() {
  const Graph& rule = rule_.graph.graph;
  for (const Effect& effect : graph_.effects) {
    states_.write(graph_.states[effect.state].path, effect.value);
  }
  for (const ValueId value : rule.nodes.ids()) {
    const std::vector<SourceRange>& origins = rule.infos[value].origins;
    builder_.current_origin = origins.empty() ? SourceRange{} : origins.front();
    copies_[value] = copy(value);
    builder_.current_origin = {};
    NodeInfo info = rule.infos[value];
    // What is there already, a gradient, comes from where it was made.
    if (answer_of_.count(value) > 0) info.origins.clear();
    builder_.copy_info(copies_[value], info);
  }
  for (const RuleWrite& one : rule_.graph.writes) write(one);
  // A parameter that the rule does not write keeps its value.
  for (const std::vector<Parameter>* all : {&parameters_, &others_}) {
    for (const Parameter& p : *all) {
      if (!states_.is_written(p.state.path)) states_.write(p.state.path, p.theta);
    }
  }
  states_.write(kStepState, accumulation_ ? accumulation_->if_due(step_, step_before_) : step_);
  add_fault();
  return states_.effects();
}

ValueId Update::copy(ValueId value) {
  const Graph& rule = rule_.graph.graph;
  const Node& node = rule[value];
  const auto found = answer_of_.find(value);
  if (found != answer_of_.end()) return answer(found->second);
  if (node.op == &ops::hyper) return hyper(*leaf_path(node));
  if (node.op == &ops::state) return states_.read(rule.states[*rule.find_state(*leaf_path(node))]);
  std::vector<ValueId> operands;
  for (const ValueId operand : node.operands) operands.push_back(copies_[operand]);
  return builder_.add(*node.op, std::move(operands), node.attributes, node.type);
}

ValueId Update::answer(const Answer& wanted) {
  std::vector<ValueId>& values = answered_[wanted.request];
  if (values.empty()) values = answers(rule_.graph.requests[wanted.request]);
  return values[wanted.number];
}

std::vector<ValueId> Update::answers(const RuleRequest& request) {
  std::vector<ValueId> at;
  for (const ValueId value : request.at) at.push_back(copies_[value]);
  switch (request.kind) {
    case RuleRequest::Kind::kStep:
      return {step_};
    case RuleRequest::Kind::kLoss:
      return {loss()};
    case RuleRequest::Kind::kGradient:
      return gradient(at);
    case RuleRequest::Kind::kHessian:
      return {hessian(at)};
    case RuleRequest::Kind::kDerivatives:
      break;
  }
  return derivatives(copies_[request.scalar], at);
}

ValueId Update::loss() {
  const std::optional<ValueId> loss = graph_.find_output("loss");
  DLG_CHECK(loss.has_value(), "a rule that reads the loss needs one");
  const ValueId own = cast({&builder_, *loss}, DType::kF64).value;
  return accumulation_ ? accumulation_->loss(own) : own;
}

std::vector<ValueId> Update::gradient(const std::vector<ValueId>& points) {
  std::vector<ValueId> here;
  std::vector<State> states;
  for (const Parameter& p : parameters_) {
    here.push_back(p.gradient);
    states.push_back(p.state);
  }
  const std::vector<ValueId> own = at_points(here, points);
  return accumulation_ ? accumulation_->gradient(states, own) : own;
}

/// Values that are functions of the parameters, with the points in their place.
std::vector<ValueId> Update::at_points(const std::vector<ValueId>& here, const std::vector<ValueId>& points) {
  std::vector<std::pair<ValueId, ValueId>> moved;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool is_moved = points[i] != parameters_[i].theta && !has_defect(Defect::kGradientHere);
    if (is_moved) moved.emplace_back(parameters_[i].theta, points[i]);
  }
  // The gradient graph is a function of the parameters: with the points in their place it is the gradient
  // there, forward part included.
  return moved.empty() ? here : clone_with(builder_, here, moved);
}

ValueId Update::hessian(const std::vector<ValueId>& points) {
  DLG_CHECK(!accumulation_, "second derivatives with accumulation");
  std::vector<ValueId> thetas;
  std::vector<ValueId> first;
  for (const Parameter& p : parameters_) {
    thetas.push_back(p.theta);
    first.push_back(p.gradient);
  }
  const ValueId matrix = second_derivatives(builder_, first, thetas);
  builder_.set_name(matrix, "hessian");
  return at_points({matrix}, points).front();
}

std::vector<ValueId> Update::derivatives(ValueId e, const std::vector<ValueId>& by) {
  DLG_CHECK(!accumulation_, "second derivatives with accumulation");
  const std::vector<std::optional<ValueId>> found = gradients(builder_, e, by);
  std::vector<ValueId> values;
  for (std::size_t i = 0; i < by.size(); ++i) {
    values.push_back(found[i] ? *found[i] : constant(builder_, 0, builder_.type(by[i])).value);
  }
  return values;
}

/// The value of what a rule writes at the start of the step.
ValueId Update::before(const std::string& path) {
  const auto moved = std::find_if(parameters_.begin(), parameters_.end(),
                                  [&](const Parameter& p) { return p.state.path == path; });
  if (moved != parameters_.end()) return moved->theta;
  const Graph& rule = rule_.graph.graph;
  return states_.read(rule.states[*rule.find_state(path)]);
}

void Update::write(const RuleWrite& rule_write) {
  ValueId value = copies_[rule_write.value];
  if (accumulation_) {
    builder_.current_origin = rule_write.origin;
    value = accumulation_->if_due(value, before(rule_write.path));
    builder_.current_origin = {};
  }
  states_.write(rule_write.path, value);
}

/// Of rows without weight there is no mean, and so no update.
void Update::add_fault() {
  const std::optional<ValueId> weight = graph_.find_output(kWeightOutput);
  if (!weight) return;
  if (accumulation_) {
    add_weight_fault(builder_, accumulation_->weight(), accumulation_->is_due());
  } else {
    add_weight_fault(builder_, *weight);
  }
}

}  // namespace

Graph apply_update(const Graph& graph, const UpdateRule& rule) {
  Graph result = graph;
  for (const Hyper& hyper : rule.hypers) {
    if (result.find_hyper(hyper.name) == nullptr) result.hypers.push_back(hyper);
  }
  Update update(result, rule);
  result.effects = update.run();
  for (const Effect& effect : result.effects) {
    const std::string& path = result.states[effect.state].path;
    const bool keeps = find_state_value(result, path) == effect.value;
    if (!keeps) update.builder().set_name(effect.value, fmt::format("{}.new", state_name(result, path)));
  }
  std::erase_if(result.outputs, [](const Output& output) { return is_gradient_output(output.name); });
  return compact(result);
}

}  // namespace dlg
