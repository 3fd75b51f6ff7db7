#include "frontend/elaborate/parameters.h"

#include <fmt/format.h>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/signature.h"
#include "frontend/elaborate/tensors.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kOutside{DiagCode::StatementOutOfPlace, Severity::kError,
                                     "the parameter `{}` is not inside a model"};
constexpr Diag<std::string> kNoType{DiagCode::MissingType, Severity::kError,
                                    "`{}` has no type, expected axes in brackets as in `W: [2, 3]`"};
constexpr Diag<> kState{DiagCode::NotInThisVersion, Severity::kError,
                        "`state` in a model is not part of this version"};
constexpr Diag<std::string> kBadInitial{DiagCode::BadInitialValue, Severity::kError,
                                        "found {}, expected a number, numbers in brackets or an initialiser"};
constexpr Diag<std::string, std::string> kInitialShape{DiagCode::BadInitialValue, Severity::kError,
                                                       "the numbers are {}, expected {}"};
constexpr Diag<std::string, std::string> kChangedShape{
    DiagCode::ShapeMismatch, Severity::kError, "`{}` has another shape in this application of the model: {}"};
constexpr Diag<std::string> kNoInitial{DiagCode::BadInitialValue, Severity::kError,
                                       "`{}` has no initial value"};
constexpr Diag<> kNoFan{DiagCode::BadInitialValue, Severity::kError,
                        "fan_in() and fan_out() belong into the initial value of a parameter"};
constexpr Diag<std::string> kFewAxes{DiagCode::BadInitialValue, Severity::kError,
                                     "an initialiser with fan_in() or fan_out() needs two axes, found {}"};

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

/// Makes the state on the first application, finds it again on the others.
bool ensure_state(Elaboration& e, const ast::Statement& statement, const std::string& path,
                  const Axes& axes) {
  const TensorType type{e.dtype, graph_shape(axes, Batching::kShared)};
  Graph& graph = e.builder.graph();
  if (const std::optional<StateId> known = graph.find_state(path)) {
    if (graph.states[*known].type == type) return true;
    e.error(statement.range, kChangedShape, path, axes_text(axes))
        .note(fmt::format("it was {} before; a model has one set of parameters",
                          shape_text(graph.states[*known].type.shape)));
    return false;
  }
  const std::optional<Initializer> initial = evaluate_initial(e, statement, axes);
  if (!initial) return false;
  const StateKind kind = statement.keyword == "const" ? StateKind::kConstant : StateKind::kParameter;
  graph.states.add({path, type, kind, *initial, e.user_place(statement.names.front().range)});
  return true;
}

Value declare(Elaboration& e, const ast::Statement& statement) {
  const ast::Name& name = statement.names.front();
  if (statement.keyword == "state") {
    e.error(statement.range, kState);
    return {Poison{}};
  }
  if (!e.frame().is_in_model) {
    e.error(statement.range, kOutside, name.text)
        .note("parameters belong to a model: write `model NAME(...) { ... }` and call this function there");
    return {Poison{}};
  }
  if (!statement.type) {
    e.error(name.range, kNoType, name.text);
    return {Poison{}};
  }
  const std::optional<Axes> axes = declared_axes(e, *statement.type);
  const std::string path = e.instances[e.frame().instance].path + "." + name.text;
  if (!axes || !ensure_state(e, statement, path, *axes)) return {Poison{}};
  return {state_tensor(e, path, *axes, e.dtype), name.range};
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

}  // namespace dlg
