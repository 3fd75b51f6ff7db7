#include "frontend/elaborate/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/signature.h"
#include "frontend/elaborate/tensors.h"
#include "support/arithmetic.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kOutside{DiagCode::StatementOutOfPlace, Severity::kError,
                                                  "the {} `{}` is not inside a model"};
constexpr Diag<std::string> kNoState{DiagCode::StatementOutOfPlace, Severity::kError,
                                     "found `<-` behind `{}`, which is no state here"};
constexpr Diag<std::string> kWrittenTwice{DiagCode::AssignedTwice, Severity::kError,
                                          "the state `{}` is written twice in one step"};
constexpr Diag<std::string> kNeverWritten{DiagCode::IdleOptimizer, Severity::kError,
                                          "the state `{}` is never written"};
constexpr Diag<std::string, std::string, std::string> kStateType{DiagCode::ShapeMismatch, Severity::kError,
                                                                 "the state `{}` is {} and would become {}"};
constexpr Diag<std::string> kStatePerSample{
    DiagCode::ShapeMismatch, Severity::kError,
    "the state `{}` is one for all samples, and would become another one for each"};
constexpr Diag<std::string> kNoType{DiagCode::MissingType, Severity::kError,
                                    "`{}` has no type, expected axes in brackets as in `W: [2, 3]`"};
constexpr Diag<std::string> kBadInitial{DiagCode::BadInitialValue, Severity::kError,
                                        "found {}, expected a number, numbers in brackets or an initialiser"};
constexpr Diag<std::string, std::string> kInitialShape{DiagCode::BadInitialValue, Severity::kError,
                                                       "the numbers are {}, expected {}"};
constexpr Diag<std::string, std::string> kChangedShape{DiagCode::ShapeMismatch, Severity::kError,
                                                       "`{}` has another shape in this application: {}"};
constexpr Diag<std::string> kNoInitial{DiagCode::BadInitialValue, Severity::kError,
                                       "`{}` has no initial value"};
constexpr Diag<> kNoFan{DiagCode::BadInitialValue, Severity::kError,
                        "fan_in() and fan_out() belong into the initial value of a parameter"};
constexpr Diag<std::string> kFewAxes{DiagCode::BadInitialValue, Severity::kError,
                                     "an initialiser with fan_in() or fan_out() needs two axes, found {}"};
constexpr Diag<> kNoMatrix{DiagCode::BadInitialValue, Severity::kError,
                           "`orthogonal()` belongs into the initial value of a parameter"};
constexpr Diag<std::string> kNoColumns{DiagCode::BadInitialValue, Severity::kError,
                                       "an orthogonal matrix needs two axes, found {}"};
constexpr Diag<std::int64_t, std::int64_t> kLongDraw{
    DiagCode::BadInitialValue, Severity::kError,
    "an orthogonal matrix of {} x {} takes too long to draw, expected the work of 10000 x 10000 at most"};

/// The multiplications for which a start may wait: some minutes.
constexpr std::int64_t kMostDrawn = 2'000'000'000'000;

std::optional<Initializer> literal_initializer(Elaboration& e, const Operand& initial, const Axes& axes) {
  const std::optional<Literal> literal = literal_of(e, initial);
  if (!literal) return std::nullopt;
  if (!unify(plain_axes(literal->sizes), axes)) {
    e.error(initial.range, kInitialShape, axes_text(plain_axes(literal->sizes)), axes_text(axes));
    return std::nullopt;
  }
  for (const double number : literal->values) {
    if (!check_representable(e, number, e.dtype, initial.range)) return std::nullopt;
  }
  return Initializer{Initializer::Kind::kLiteral, 0, 0, literal->values};
}

std::optional<Initializer> initializer_of(Elaboration& e, const Operand& initial, const Axes& axes) {
  if (initial.value.is_poison()) return std::nullopt;
  if (const InitialValue* random = initial.value.as<InitialValue>()) return random->initializer;
  if (const NumberValue* number = initial.value.as<NumberValue>()) {
    if (!check_representable(e, number->value, e.dtype, initial.range)) return std::nullopt;
    return Initializer{Initializer::Kind::kConstant, number->value, 0, {}};
  }
  const ListValue* list = initial.value.as<ListValue>();
  if (list && list->kind == ListKind::kPlain) return literal_initializer(e, initial, axes);
  e.error(initial.range, kBadInitial, kind_text(initial.value));
  return std::nullopt;
}

std::optional<Initializer> evaluate_initial(Elaboration& e, const ast::Statement& statement,
                                            const Axes& axes) {
  if (!statement.value.is_valid()) {
    e.error(statement.range, kNoInitial, statement.names.front().text);
    return std::nullopt;
  }
  const std::optional<Axes> outer = e.initialised;
  e.initialised = axes;
  const Operand initial = evaluate_operand(e, statement.value);
  e.initialised = outer;
  return initializer_of(e, initial, axes);
}

StateKind kind_of(std::string_view keyword) {
  if (keyword == "param") return StateKind::kParameter;
  return keyword == "const" ? StateKind::kConstant : StateKind::kModel;
}

/// Makes the state on the first application, finds it again on the others.
bool ensure_state(Elaboration& e, const ast::Statement& statement, const std::string& path,
                  const Axes& axes) {
  const TensorType type{e.dtype, graph_shape(axes, Batching::kShared)};
  Graph& graph = e.builder.graph();
  if (const std::optional<StateId> known = graph.find_state(path)) {
    if (graph.states[*known].type == type) return true;
    e.error(statement.range, kChangedShape, path, axes_text(axes))
        .note(fmt::format("it was {} before; a model, and what is shared, has one set of parameters",
                          shape_text(graph.states[*known].type.shape)));
    return false;
  }
  const std::optional<Initializer> initial = evaluate_initial(e, statement, axes);
  if (!initial) return false;
  graph.states.add(
      {path, type, kind_of(statement.keyword), *initial, e.user_place(statement.names.front().range)});
  return true;
}

Value declare(Elaboration& e, const ast::Statement& statement) {
  const ast::Name& name = statement.names.front();
  const bool is_state = statement.keyword == "state";
  if (!e.frame().is_in_model) {
    e.error(statement.range, kOutside, is_state ? "state" : "parameter", name.text)
        .note(fmt::format(
            "{} belong to a model: write `model NAME(...) {{ ... }}` and call this function there",
            is_state ? "states" : "parameters"));
    return {Poison{}};
  }
  if (!statement.type) {
    e.error(name.range, kNoType, name.text);
    return {Poison{}};
  }
  const std::optional<Axes> axes = declared_axes(e, *statement.type);
  const std::string path = e.instances[e.frame().instance].path + "." + name.text;
  if (!axes || !ensure_state(e, statement, path, *axes)) return {Poison{}};
  TensorValue tensor = state_tensor(e, path, *axes, e.dtype);
  if (is_state) {
    const StateId id = *e.builder.graph().find_state(path);
    e.has_modes = true;
    e.frame().states[name.text] = {id, name};
    // An application before this one may have written it.
    if (const auto written = e.written.find(id); written != e.written.end()) tensor.id = written->second.id;
  }
  return {tensor, name.range};
}

/// The value as one of the state; nullopt after an error.
std::optional<TensorValue> fitted_to_state(Elaboration& e, const ast::Name& name, const TensorValue& state,
                                           const Operand& operand) {
  const std::optional<TensorValue> value = tensor_of(e, operand);
  if (!value) return std::nullopt;
  if (value->batching == Batching::kPerSample) {
    e.error(operand.range, kStatePerSample, name.text).note("`batch_mean(x)` makes one value of all samples");
    return std::nullopt;
  }
  if (value->dtype != state.dtype || value->axes.size() != state.axes.size() ||
      !unify(value->axes, state.axes)) {
    const auto type = [](const TensorValue& t) {
      return std::string(dtype_name(t.dtype)) + axes_text(t.axes);
    };
    e.error(operand.range, kStateType, name.text, type(state), type(*value));
    return std::nullopt;
  }
  TensorValue fitted = state;
  fitted.id = value->id;
  return fitted;
}

void report_no_state(Elaboration& e, const ast::Name& name) {
  const auto known = e.frame().names.find(name.text);
  const bool is_known = known != e.frame().names.end();
  // A state with an error of its own has said so.
  if (is_known && known->second.is_poison()) return;
  Report report = e.error(name.range, kNoState, name.text);
  std::vector<std::string> states;
  for (const auto& [state, in_call] : e.frame().states) states.push_back(state);
  if (const auto near = nearest_name(name.text, states)) {
    report.suggest(name.range, *near, fmt::format("did you mean `{}`?", *near));
    e.frame().states[*near].is_written = true;
  } else {
    report.note(is_known ? "a name has one value; `<-` is for what a `state` becomes"
                         : "a name gets its value by `=`; `<-` is for what a `state` becomes");
  }
  // What reads the name from here on says nothing new.
  if (!is_known) e.frame().names[name.text] = {Poison{}};
}

}  // namespace

void elaborate_declaration(Elaboration& e, const ast::Statement& statement) {
  const ast::Name& name = statement.names.front();
  check_given_once(e, name);
  Value value = declare(e, statement);
  if (const TensorValue* tensor = value.as<TensorValue>()) {
    e.builder.set_name(tensor->id, name.text);
    TensorValue outside = *tensor;
    forget_scope(outside.axes, e.frame().serial);
    e.instances[e.frame().instance].values.try_emplace(name.text, Value{outside, name.range});
  } else {
    e.instances[e.frame().instance].values.try_emplace(name.text, value);
  }
  e.frame().names[name.text] = std::move(value);
}

void elaborate_state_write(Elaboration& e, const ast::Statement& statement) {
  if (statement.names.empty()) return;
  const ast::Name& name = statement.names.front();
  const auto found = e.frame().states.find(name.text);
  const Operand operand = evaluate_operand(e, statement.value);
  if (found == e.frame().states.end()) return report_no_state(e, name);
  StateInCall& state = found->second;
  if (state.is_written) {
    e.error(name.range, kWrittenTwice, name.text);
    return;
  }
  state.is_written = true;
  const TensorValue* before = e.frame().names[name.text].as<TensorValue>();
  const std::optional<TensorValue> value = fitted_to_state(e, name, *before, operand);
  if (!value) return;
  e.written[state.id] = *value;
  e.frame().names[name.text] = {*value, name.range};
}

void check_states_written(Elaboration& e) {
  for (const auto& [name, state] : e.frame().states) {
    if (state.is_written) continue;
    e.error(state.declared.range, kNeverWritten, name)
        .note(fmt::format("what stays as it is is a `const`; a state becomes something: `{} <- ...`", name));
  }
}

Value fan(Elaboration& e, Fan which, SourceRange range) {
  if (!e.initialised) {
    e.error(range, kNoFan);
    return {Poison{}};
  }
  const Axes& axes = *e.initialised;
  if (axes.size() < 2) {
    e.error(range, kFewAxes, axes_text(axes));
    return {Poison{}};
  }
  double size = static_cast<double>(axes[which == Fan::kIn ? 1 : 0].size);
  for (std::size_t i = 2; i < axes.size(); ++i) size *= static_cast<double>(axes[i].size);
  return number_value(size);
}

bool check_drawn_matrix(Elaboration& e, SourceRange range) {
  if (!e.initialised) {
    e.error(range, kNoMatrix);
    return false;
  }
  const Axes& axes = *e.initialised;
  if (axes.size() < 2) {
    e.error(range, kNoColumns, axes_text(axes))
        .note("`normal(std)` draws numbers that know nothing of each other");
    return false;
  }
  const std::int64_t rows = axes.front().size;
  const auto columns =
      std::accumulate(axes.begin() + 1, axes.end(), std::int64_t{1},
                      [](auto size, const Axis& axis) { return saturated_mul(size, axis.size); });
  const std::int64_t smaller = std::min(rows, columns);
  const std::int64_t work = saturated_mul(2 * smaller, saturated_mul(smaller, std::max(rows, columns)));
  if (work <= kMostDrawn) return true;
  e.error(range, kLongDraw, rows, columns)
      .note("what counts is the smaller extent squared, times the larger one")
      .note("of so many numbers independent ones are nearly orthogonal: `normal(1 / sqrt(fan_in()))`");
  return false;
}

}  // namespace dlg
