#include "frontend/rules/rule_replay.h"

#include <algorithm>
#include <memory>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/rules/rule_surroundings.h"
#include "ir/graph/rule_states.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

constexpr Diag<> kOneBatch{DiagCode::BadSetting, Severity::kError,
                           "second derivatives are those of one batch, and `accumulate` takes several"};
constexpr Diag<> kThetaIdle{DiagCode::IdleOptimizer, Severity::kError, "the rule never changes `theta`"};
constexpr Diag<std::string> kStateIdle{DiagCode::IdleOptimizer, Severity::kError,
                                       "the state `{}` is never updated"};
constexpr Diag<std::string> kNotAState{DiagCode::StatementOutOfPlace, Severity::kError,
                                       "`{}` is neither `theta` nor a `state`, and only those change"};
constexpr Diag<std::string> kMisplaced{DiagCode::StatementOutOfPlace, Severity::kError,
                                       "`{}` does not belong into an optimizer"};
constexpr Diag<std::string> kInitial{DiagCode::BadInitialValue, Severity::kError,
                                     "the state `{}` starts as one number, in the shape of its parameter"};
constexpr Diag<std::string, std::string, std::string> kAssignedShape{
    DiagCode::ShapeMismatch, Severity::kError, "the new value of `{}` is {} where the parameter is {}"};
constexpr Diag<std::string, std::string> kAssignedKind{DiagCode::NotAValue, Severity::kError,
                                                       "found {} as the new value of `{}`"};
constexpr Diag<std::string> kStateType{DiagCode::BadInitialValue, Severity::kError,
                                       "the type of the state `{}` is neither left out, for the shape of its "
                                       "parameter, nor `[]`, for one number"};
constexpr Diag<std::string, std::string> kOneNumber{DiagCode::ShapeMismatch, Severity::kError,
                                                    "the new value of `{}` is {}, expected one number"};
constexpr Diag<std::string> kTaken{DiagCode::AssignedTwice, Severity::kError,
                                   "a setting of `train` keeps a state called `{}` already"};
constexpr Diag<std::string> kReserved{DiagCode::AssignedTwice, Severity::kError,
                                      "`{}` already means something here"};

/// One run over the statements of a rule.
class Replay {
 public:
  Replay(const RuleSetting& setting, const RuleText& rule, RuleBuilder& scope)
      : rule_(rule),
        scope_(scope),
        optimizer_(setting.library.unit(rule.unit).optimizers[rule.index]),
        e_(setting.sources, setting.library, scope.builder(), setting.diagnostics, setting.dtype),
        inputs_(e_, rule, scope),
        surroundings_(e_, rule, scope, inputs_),
        inside_{scope,
                [this](Value gradient, const Value& points) {
                  return surroundings_.gradient(std::move(gradient), points);
                },
                [this](Value matrix) { return surroundings_.hessian(std::move(matrix)); }} {
    e_.rule = &inside_;
    e_.measurable = rule.measurable;
  }

  void run();
  /// Reports what the settings around the rule require of their numbers.
  void check_surroundings();
  const std::vector<Hyper>& hypers() const { return inputs_.hypers(); }
  const std::vector<MeasuredInput>& measured() const { return inside_.measured; }

 private:
  void open_frame();
  void run_statement(const ast::Statement& statement);
  void declare_state(const ast::Statement& statement);
  Value scalar_state(const ast::Statement& statement, double initial);
  void assign(const ast::Statement& statement);
  void assign_all(const ast::Statement& statement, const Value& value);
  void assign_scalar(const ast::Statement& statement, const Value& value);
  void finish();
  void let(const ast::Statement& statement);
  bool is_taken(const std::string& state) const;
  void report_idle();
  void name_items(const std::string& name, const Value& value);
  std::optional<TensorValue> fitted(const Value& value, std::size_t parameter,
                                    const ast::Statement& statement);
  TensorValue theta(std::size_t parameter);

  RuleText rule_;
  RuleBuilder& scope_;
  const ast::Optimizer& optimizer_;
  Elaboration e_;
  RuleInputs inputs_;
  RuleSurroundings surroundings_;
  RuleElaboration inside_;
  Value theta_;  // at the start of the step
  std::map<std::string, SourceRange> states_;
  std::set<std::string> scalars_;  // the states of one number among them
  std::set<std::string> assigned_;
};

TensorValue Replay::theta(std::size_t parameter) {
  const ValueId id = scope_.theta(parameter);
  const TensorType type = e_.builder.type(id);
  return {id, plain_axes(type.shape.dims()), Batching::kShared, type.dtype};
}

void Replay::open_frame() {
  Frame frame;
  frame.unit = rule_.unit;
  frame.name = optimizer_.name.text;
  frame.call = rule_.call;
  frame.instance = e_.frame().instance;
  ListValue parameters{ListKind::kLockstep, {}};
  for (std::size_t i = 0; i < scope_.parameter_count(); ++i) parameters.items.push_back({theta(i)});
  theta_ = {std::move(parameters)};
  frame.names["theta"] = theta_;
  frame.names["step"] = {TensorValue{scope_.step(), {}, Batching::kShared, DType::kF64}};
  e_.frames.push_back(std::move(frame));
  for (std::size_t i = 0; i < optimizer_.formals.size(); ++i) {
    const ast::Name& name = optimizer_.formals[i].name;
    if (e_.frame().names.count(name.text) > 0) {
      e_.error(name.range, kReserved, name.text);
      continue;
    }
    Value value = inputs_.value(name.text, rule_.arguments[i]);
    value.origin = name.range;
    e_.frame().names[name.text] = std::move(value);
  }
}

void Replay::check_surroundings() {
  ListValue gradients{ListKind::kLockstep, {}};
  for (std::size_t i = 0; i < scope_.parameter_count(); ++i) gradients.items.push_back({theta(i)});
  surroundings_.check_clip({std::move(gradients)});
}

void Replay::run() {
  open_frame();
  for (const ast::Statement& statement : optimizer_.body) run_statement(statement);
  report_idle();
  finish();
  e_.check_reported(*e_.diagnostics);
}

/// What follows the last statement.
void Replay::finish() {
  const OriginScope origin(e_, rule_.call);
  if (rule_.accumulate) inputs_.value(kAccumulateHyper, *rule_.accumulate);
  std::vector<ValueId> start;
  for (std::size_t i = 0; i < scope_.parameter_count(); ++i) start.push_back(scope_.theta(i));
  surroundings_.watch_gradient(start);
  std::map<std::string, Value>& names = e_.frame().names;
  const auto lr = names.find("lr");
  Value weights = surroundings_.weights(names["theta"], theta_, lr == names.end() ? Value{} : lr->second);
  const ListValue* list = weights.as<ListValue>();
  for (std::size_t i = 0; list && i < list->items.size(); ++i) {
    scope_.set_theta(i, list->items[i].as<TensorValue>()->id);
  }
  if (list) surroundings_.average(weights, theta_);
}

void Replay::run_statement(const ast::Statement& statement) {
  const OriginScope origin(e_, statement.range);
  switch (statement.kind) {
    case ast::StatementKind::kLet:
      return let(statement);
    case ast::StatementKind::kAssign:
      return assign(statement);
    case ast::StatementKind::kDeclare:
      return declare_state(statement);
    case ast::StatementKind::kRequire:
      return;
    case ast::StatementKind::kReturn:
      e_.error(statement.range, kMisplaced, "return");
      return;
    case ast::StatementKind::kShare:
      e_.error(statement.range, kMisplaced, "share");
      return;
    case ast::StatementKind::kElement:
      e_.error(statement.range, kMisplaced, "y[i] = ...");
      return;
  }
}

void Replay::name_items(const std::string& name, const Value& value) {
  const ListValue* list = value.as<ListValue>();
  // What becomes of theta is called after its parameter by whoever writes it.
  if (name == "theta" || !list || list->items.size() != scope_.parameter_count()) return;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const std::string& path = scope_.path(i);
    std::string label = path.substr(path.rfind('.') + 1);
    label.append(".").append(name);
    const TensorValue* tensor = list->items[i].as<TensorValue>();
    if (tensor) e_.builder.set_name(tensor->id, label);
  }
}

void Replay::let(const ast::Statement& statement) {
  Value value = evaluate(e_, statement.value);
  const ast::Name& name = statement.names.front();
  if (statement.names.size() > 1) {
    e_.error(statement.range, kMisplaced, "a, b = ...");
    return;
  }
  if (e_.frame().names.count(name.text) > 0) e_.error(name.range, kReserved, name.text);
  value.origin = name.range;
  name_items(name.text, value);
  e_.frame().names[name.text] = std::move(value);
}

/// Whether a setting around the rule keeps a state of this name.
bool Replay::is_taken(const std::string& state) const {
  return (rule_.average && state == kAverageState) ||
         (rule_.accumulate && std::string_view(state).starts_with(kGradientSumState));
}

void Replay::declare_state(const ast::Statement& statement) {
  const ast::Name& name = statement.names.front();
  if (statement.keyword != "state") {
    e_.error(statement.range, kMisplaced, statement.keyword);
    return;
  }
  if (e_.frame().names.count(name.text) > 0) e_.error(name.range, kReserved, name.text);
  if (is_taken(name.text)) e_.error(name.range, kTaken, name.text);
  const Value initial = evaluate(e_, statement.value);
  const NumberValue* number = initial.as<NumberValue>();
  if (!number && !initial.is_poison()) e_.error(statement.range, kInitial, name.text);
  if (statement.type) {
    e_.frame().names[name.text] = number ? scalar_state(statement, number->value) : Value{Poison{}};
    return;
  }
  ListValue list{ListKind::kLockstep, {}};
  for (std::size_t i = 0; number && i < scope_.parameter_count(); ++i) {
    TensorValue value = theta(i);
    value.id = scope_.state(i, name.text, number->value);
    list.items.push_back({value});
  }
  states_[name.text] = name.range;
  e_.frame().names[name.text] = number ? Value{std::move(list), name.range} : Value{Poison{}};
}

/// `state product: [] = 1`: one number in f64 for the whole rule.
Value Replay::scalar_state(const ast::Statement& statement, double initial) {
  const ast::Name& name = statement.names.front();
  states_[name.text] = name.range;
  if (!statement.type->axes.empty() || statement.type->dtype) {
    e_.error(statement.type->range, kStateType, name.text);
    assigned_.insert(name.text);
    return {Poison{}};
  }
  scalars_.insert(name.text);
  return {TensorValue{scope_.scalar_state(name.text, initial), {}, Batching::kShared, DType::kF64},
          name.range};
}

/// The value in the parameter's type: numbers and scalars are repeated.
std::optional<TensorValue> Replay::fitted(const Value& value, std::size_t parameter,
                                          const ast::Statement& statement) {
  const TensorValue like = theta(parameter);
  const SourceRange range = e_.expr(statement.value).range;
  if (const NumberValue* number = value.as<NumberValue>()) {
    return constant_tensor(e_, number->value, like, range);
  }
  const TensorValue* tensor = value.as<TensorValue>();
  if (!tensor) {
    e_.error(range, kAssignedKind, kind_text(value), statement.names.front().text);
    return std::nullopt;
  }
  if (tensor->axes.empty() || tensor->axes == like.axes) {
    const Expr same = cast(expr_of(e_, *tensor), like.dtype);
    return with_node(like, broadcast_to(same, graph_shape(like.axes, Batching::kShared)));
  }
  e_.error(range, kAssignedShape, statement.names.front().text, axes_text(tensor->axes),
           axes_text(like.axes));
  return std::nullopt;
}

void Replay::assign(const ast::Statement& statement) {
  const ast::Name& name = statement.names.front();
  const bool is_theta = name.text == "theta";
  const Value value = evaluate(e_, statement.value);
  if (!is_theta && states_.count(name.text) == 0) {
    e_.error(name.range, kNotAState, name.text);
    return;
  }
  assigned_.insert(name.text);
  // What was not declared as it should be is not there to be written.
  const bool is_lost = !is_theta && e_.frame().names[name.text].is_poison();
  if (value.is_poison() || is_lost) {
    e_.frame().names[name.text] = {Poison{}};
  } else if (scalars_.count(name.text) > 0) {
    assign_scalar(statement, value);
  } else {
    assign_all(statement, value);
  }
}

void Replay::assign_scalar(const ast::Statement& statement, const Value& value) {
  const std::string& name = statement.names.front().text;
  Value& known = e_.frame().names[name];
  const NumberValue* number = value.as<NumberValue>();
  const TensorValue* tensor = value.as<TensorValue>();
  if (!number && (!tensor || !tensor->axes.empty())) {
    const bool is_list = value.as<ListValue>() != nullptr;
    e_.error(e_.expr(statement.value).range, kOneNumber, name,
             is_list ? "a value for each parameter" : kind_text(value));
    known = {Poison{}};
    return;
  }
  const Expr result = number ? constant(e_.builder, number->value, {DType::kF64, {}})
                             : cast(expr_of(e_, *tensor), DType::kF64);
  scope_.set_scalar_state(name, result.value);
  known = {TensorValue{result.value, {}, Batching::kShared, DType::kF64}, statement.names.front().range};
}

void Replay::assign_all(const ast::Statement& statement, const Value& value) {
  const ast::Name& name = statement.names.front();
  const Operand assigned{value, statement.range};
  const ListValue* list = mapped_list(assigned);
  ListValue result{ListKind::kLockstep, {}};
  for (std::size_t i = 0; i < scope_.parameter_count(); ++i) {
    const std::optional<TensorValue> item = fitted(list ? list->items[i] : value, i, statement);
    if (!item) {
      e_.frame().names[name.text] = {Poison{}};
      return;
    }
    result.items.push_back({*item});
  }
  for (std::size_t i = 0; name.text != "theta" && i < result.items.size(); ++i) {
    scope_.set_state(i, name.text, result.items[i].as<TensorValue>()->id);
  }
  e_.frame().names[name.text] = {std::move(result), name.range};
  name_items(name.text, e_.frame().names[name.text]);
}

void Replay::report_idle() {
  if (assigned_.count("theta") == 0) e_.error(optimizer_.name.range, kThetaIdle);
  for (const auto& [name, range] : states_) {
    if (assigned_.count(name) == 0) e_.error(range, kStateIdle, name);
  }
}

}  // namespace

std::optional<ElaboratedRule> replay_rule(Elaboration& e, const RuleText& rule) {
  const std::size_t before = e.diagnostics->error_count();
  const RuleSetting setting{e.sources, e.library, *e.diagnostics, e.dtype};
  {
    RuleBuilder nobodys(e.builder.graph(), rule.frozen);
    Replay(setting, rule, nobodys).check_surroundings();
  }
  if (e.diagnostics->error_count() != before) return std::nullopt;
  RuleBuilder builder(e.builder.graph(), rule.frozen);
  Replay replay(setting, rule, builder);
  replay.run();
  if (rule.accumulate && builder.is_second_order()) e.error(rule.call, kOneBatch);
  if (e.diagnostics->error_count() != before) return std::nullopt;
  return ElaboratedRule{builder.rule(), replay.hypers(), replay.measured()};
}

}  // namespace dlg
