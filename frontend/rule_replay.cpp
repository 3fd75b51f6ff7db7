#include "frontend/rule_replay.h"

#include <algorithm>
#include <memory>

#include "frontend/constants.h"
#include "frontend/elementwise.h"
#include "frontend/expressions.h"
#include "ir/ops/registry.h"

namespace dlg {
namespace {

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
constexpr Diag<std::string> kReserved{DiagCode::AssignedTwice, Severity::kError,
                                      "`{}` already means something here"};

/// One run over the statements of a rule.
class Replay {
 public:
  Replay(const RuleSetting& setting, const RuleText& rule, UpdateScope& scope)
      : rule_(rule),
        scope_(scope),
        optimizer_(setting.library.units[rule.unit].optimizers[rule.index]),
        e_(setting.sources, setting.library, scope.builder(), setting.diagnostics, setting.dtype) {
    e_.update = &scope;
  }

  void run();

 private:
  void open_frame();
  void run_statement(const ast::Statement& statement);
  void declare_state(const ast::Statement& statement);
  void assign(const ast::Statement& statement);
  void let(const ast::Statement& statement);
  void report_idle();
  void name_items(const std::string& name, const Value& value);
  std::optional<TensorValue> fitted(const Value& value, std::size_t parameter,
                                    const ast::Statement& statement);
  TensorValue theta(std::size_t parameter);

  RuleText rule_;
  UpdateScope& scope_;
  const ast::Optimizer& optimizer_;
  Elaboration e_;
  std::map<std::string, SourceRange> states_;
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
  frame.names["theta"] = {std::move(parameters)};
  frame.names["step"] = {TensorValue{scope_.step(), {}, Batching::kShared, DType::kF64}};
  for (const ast::Formal& formal : optimizer_.formals) {
    const ValueId id = scope_.hyper("optimizer." + formal.name.text);
    frame.names[formal.name.text] = {TensorValue{id, {}, Batching::kShared, DType::kF64}, formal.name.range};
  }
  e_.frames.push_back(std::move(frame));
}

void Replay::run() {
  open_frame();
  for (const ast::Statement& statement : optimizer_.body) run_statement(statement);
  report_idle();
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
  }
}

void Replay::name_items(const std::string& name, const Value& value) {
  const ListValue* list = value.as<ListValue>();
  if (!list || list->items.size() != scope_.parameter_count()) return;
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    const std::string& path = scope_.path(i);
    std::string label = path.substr(path.rfind('.') + 1);
    if (name != "theta") label.append(".").append(name);
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

void Replay::declare_state(const ast::Statement& statement) {
  const ast::Name& name = statement.names.front();
  if (statement.keyword != "state") {
    e_.error(statement.range, kMisplaced, statement.keyword);
    return;
  }
  if (e_.frame().names.count(name.text) > 0) e_.error(name.range, kReserved, name.text);
  const Value initial = evaluate(e_, statement.value);
  const NumberValue* number = initial.as<NumberValue>();
  if (!number && !initial.is_poison()) e_.error(statement.range, kInitial, name.text);
  ListValue list{ListKind::kLockstep, {}};
  for (std::size_t i = 0; number && i < scope_.parameter_count(); ++i) {
    TensorValue value = theta(i);
    value.id = scope_.state(i, name.text, number->value);
    list.items.push_back({value});
  }
  states_[name.text] = name.range;
  e_.frame().names[name.text] = number ? Value{std::move(list), name.range} : Value{Poison{}};
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
  if (value.is_poison()) {
    e_.frame().names[name.text] = {Poison{}};
    return;
  }
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
  for (std::size_t i = 0; i < result.items.size(); ++i) {
    const ValueId id = result.items[i].as<TensorValue>()->id;
    if (is_theta) scope_.set_theta(i, id);
    if (!is_theta) scope_.set_state(i, name.text, id);
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

/// Stands in for the update pass: parameters and gradients are states of a graph that nobody keeps.
class TrialScope : public UpdateScope {
 public:
  explicit TrialScope(const Graph& program) : builder_(graph_) {
    for (const State& state : program.states) {
      if (state.kind == StateKind::kParameter) parameters_.push_back(state);
    }
  }

  Builder& builder() override { return builder_; }
  std::size_t parameter_count() const override { return parameters_.size(); }
  const std::string& path(std::size_t parameter) const override { return parameters_[parameter].path; }
  ValueId theta(std::size_t parameter) override { return read(parameter, ""); }
  ValueId step() override { return hyper("step"); }
  ValueId hyper(const std::string& name) override {
    Attributes attributes;
    attributes.text = name;
    return builder_.add(ops::hyper, {}, std::move(attributes));
  }
  ValueId state(std::size_t parameter, const std::string& name, double) override {
    return read(parameter, "." + name);
  }
  std::vector<ValueId> gradient(const std::vector<ValueId>& points) override {
    std::vector<ValueId> gradients;
    for (std::size_t i = 0; i < points.size(); ++i) gradients.push_back(read(i, ".gradient"));
    return gradients;
  }
  ValueId hessian(const std::vector<ValueId>& points) override {
    std::int64_t count = 0;
    for (const ValueId point : points) count += builder_.type(point).shape.elements();
    Attributes attributes;
    attributes.text = ".hessian";
    return builder_.add(ops::state, {}, std::move(attributes),
                        {builder_.type(points.front()).dtype, {count, count}});
  }
  std::vector<ValueId> derivatives(ValueId, const std::vector<ValueId>& by) override { return gradient(by); }
  void set_theta(std::size_t, ValueId) override {}
  void set_state(std::size_t, const std::string&, ValueId) override {}

 private:
  ValueId read(std::size_t parameter, const std::string& suffix) {
    Attributes attributes;
    attributes.text = parameters_[parameter].path + suffix;
    return builder_.add(ops::state, {}, std::move(attributes), parameters_[parameter].type);
  }

  Graph graph_;
  Builder builder_;
  std::vector<State> parameters_;
};

}  // namespace

void replay_rule(const RuleSetting& setting, const RuleText& rule, UpdateScope& scope) {
  Replay(setting, rule, scope).run();
}

bool check_rule(Elaboration& e, const RuleText& rule) {
  const std::size_t before = e.diagnostics->error_count();
  TrialScope scope(e.builder.graph());
  replay_rule({e.sources, e.library, *e.diagnostics, e.dtype}, rule, scope);
  return e.diagnostics->error_count() == before;
}

}  // namespace dlg
