#include "ir/graph/rule_builder.h"

#include <fmt/format.h>

#include <algorithm>

#include "ir/graph/rule_states.h"
#include "ir/ops/registry.h"
#include "support/check.h"

namespace dlg {
namespace {

const TensorType kScalar{DType::kF64, {}};

State own_state(std::string path, const TensorType& type, double initial, SourceRange origin) {
  const Initializer start{.kind = Initializer::Kind::kConstant, .a = initial, .b = 0, .literal = {}};
  return {std::move(path), type, StateKind::kOptimizer, start, origin};
}

}  // namespace

RuleBuilder::RuleBuilder(const Graph& program, const std::vector<std::string>& frozen)
    : builder_(rule_.graph) {
  for (const State& state : program.states) {
    const bool is_frozen = std::find(frozen.begin(), frozen.end(), state.path) != frozen.end();
    if (state.kind != StateKind::kParameter || is_frozen) continue;
    paths_.push_back(state.path);
    thetas_.push_back(read(state));
  }
}

ValueId RuleBuilder::read(State state) {
  const LeafPath path{state.path};
  const TensorType type = state.type;
  if (!rule_.graph.find_state(state.path)) rule_.graph.states.add(std::move(state));
  return builder_.add(ops::state, {}, path, type);
}

std::vector<ValueId> RuleBuilder::ask(RuleRequest request, const std::vector<TensorType>& types) {
  for (const RuleRequest& known : rule_.requests) {
    const bool is_same =
        known.kind == request.kind && known.scalar == request.scalar && known.at == request.at;
    if (is_same) return known.answers;
  }
  for (const TensorType& type : types) {
    // No state of a model or a rule has such a path.
    const LeafPath path{fmt::format("answer:{}.{}", rule_.requests.size(), request.answers.size())};
    request.answers.push_back(builder_.add(ops::state, {}, path, type));
  }
  rule_.requests.push_back(std::move(request));
  return rule_.requests.back().answers;
}

std::vector<ValueId> RuleBuilder::ask_at(RuleRequest::Kind kind, const std::vector<ValueId>& points,
                                         const std::vector<TensorType>& types) {
  DLG_CHECK(points.size() == thetas_.size(), "a derivative needs one point per parameter");
  return ask({.kind = kind, .at = points}, types);
}

ValueId RuleBuilder::step() {
  return ask({.kind = RuleRequest::Kind::kStep}, {kScalar}).front();
}

ValueId RuleBuilder::hyper(const std::string& name) {
  return builder_.add(ops::hyper, {}, HyperName{name});
}

ValueId RuleBuilder::state(std::size_t parameter, const std::string& name, double initial) {
  const State& theta = rule_.graph.states[*rule_.graph.find_state(paths_[parameter])];
  return read(own_state(rule_state_path(theta.path, name), theta.type, initial, theta.origin));
}

ValueId RuleBuilder::scalar_state(const std::string& name, double initial) {
  return read(own_state(rule_state_path(name), kScalar, initial, {}));
}

ValueId RuleBuilder::loss() {
  return ask({.kind = RuleRequest::Kind::kLoss}, {kScalar}).front();
}

std::vector<ValueId> RuleBuilder::gradient(const std::vector<ValueId>& points) {
  std::vector<TensorType> types;
  for (const ValueId theta : thetas_) types.push_back(builder_.type(theta));
  return ask_at(RuleRequest::Kind::kGradient, points, types);
}

ValueId RuleBuilder::hessian(const std::vector<ValueId>& points) {
  std::int64_t count = 0;
  for (const ValueId theta : thetas_) count += builder_.type(theta).shape.elements();
  const TensorType type{builder_.type(thetas_.front()).dtype, {count, count}};
  return ask_at(RuleRequest::Kind::kHessian, points, {type}).front();
}

std::vector<ValueId> RuleBuilder::derivatives(ValueId e, const std::vector<ValueId>& by) {
  std::vector<TensorType> types;
  for (const ValueId value : by) types.push_back(builder_.type(value));
  return ask({.kind = RuleRequest::Kind::kDerivatives, .scalar = e, .at = by}, types);
}

void RuleBuilder::write(const std::string& path, ValueId value) {
  const std::optional<StateId> id = rule_.graph.find_state(path);
  DLG_CHECK(id.has_value(), fmt::format("the rule writes {} before it declares it", path));
  const State& state = rule_.graph.states[*id];
  DLG_CHECK(builder_.type(value) == state.type,
            fmt::format("{} of type {} gets a value of type {}", path, type_text(state.type),
                        type_text(builder_.type(value))));
  rule_.writes.push_back({path, value, builder_.current_origin});
}

void RuleBuilder::set_theta(std::size_t parameter, ValueId value) {
  write(paths_[parameter], value);
}

void RuleBuilder::set_state(std::size_t parameter, const std::string& name, ValueId value) {
  write(rule_state_path(paths_[parameter], name), value);
}

void RuleBuilder::set_scalar_state(const std::string& name, ValueId value) {
  write(rule_state_path(name), value);
}

bool RuleBuilder::is_second_order() const {
  return std::any_of(rule_.requests.begin(), rule_.requests.end(), [](const RuleRequest& request) {
    return request.kind == RuleRequest::Kind::kHessian || request.kind == RuleRequest::Kind::kDerivatives;
  });
}

}  // namespace dlg
