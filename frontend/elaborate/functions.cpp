#include "frontend/elaborate/functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>

#include "frontend/elaborate/builtin_calls.h"
#include "frontend/elaborate/choices.h"
#include "frontend/elaborate/elements.h"
#include "frontend/elaborate/elementwise.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/names.h"
#include "frontend/elaborate/parameters.h"
#include "frontend/elaborate/signature.h"
#include "frontend/elaborate/tensors.h"
#include "frontend/elaborate/whole_functions.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kNotAFunction{DiagCode::NotAFunction, Severity::kError,
                                          "found {} before `(`, expected a function"};
constexpr Diag<std::string> kRecursion{DiagCode::Recursion, Severity::kError,
                                       "`{}` calls itself, directly or through others"};
constexpr Diag<std::string> kNoOverload{DiagCode::NoOverload, Severity::kError,
                                        "no form of `{}` takes these arguments"};
constexpr Diag<std::string> kNoReturn{DiagCode::NoReturn, Severity::kError, "`{}` returns nothing"};
constexpr Diag<std::string, std::string> kLossShape{DiagCode::ScalarExpected, Severity::kError,
                                                    "the loss `{}` is {}, expected `[]`"};
constexpr Diag<std::size_t, std::string> kParts{DiagCode::BadUnpacking, Severity::kError, "{} names for {}"};
constexpr Diag<std::string, std::string> kRequire{DiagCode::RequireFailed, Severity::kError,
                                                  "`{}` does not hold{}"};
constexpr Diag<std::string> kRequireKind{DiagCode::NotANumber, Severity::kError,
                                         "found {}, expected a condition on numbers known at compile time"};
constexpr Diag<std::string> kNotALayer{DiagCode::NotAFunction, Severity::kError,
                                       "found {}, expected a layer that can be shared"};
constexpr Diag<std::string> kShareOutside{DiagCode::StatementOutOfPlace, Severity::kError,
                                          "the shared layer `{}` is not inside a model"};
constexpr Diag<> kAfterReturn{DiagCode::StatementOutOfPlace, Severity::kError,
                              "a statement behind `return` is never reached"};

/// The names that an expression reads.
std::set<std::string> names_read(const Elaboration& e, ast::ExprId id) {
  std::set<std::string> names;
  std::vector<ast::ExprId> open{id};
  while (!open.empty()) {
    const ast::Expr& expr = e.expr(open.back());
    open.pop_back();
    if (expr.kind == ast::ExprKind::kName) names.insert(expr.text);
    open.insert(open.end(), expr.args.begin(), expr.args.end());
    for (const ast::Argument& argument : expr.arguments) open.push_back(argument.value);
  }
  return names;
}

/// "3", or of a pair "[3, 5]"; empty for what is no number.
std::string numbers_text(const Value& value) {
  if (const NumberValue* number = value.as<NumberValue>()) return number_text(number->value);
  const ListValue* list = value.as<ListValue>();
  if (!list || !is_number_list(value)) return "";
  std::vector<std::string> items;
  for (const Value& item : list->items) items.push_back(numbers_text(item));
  const bool is_one = items.size() == 2 && items[0] == items[1];
  return is_one ? items[0] : "[" + join_text(items, ", ") + "]";
}

/// "`lr` is -0.1" for each number of a condition, and where the caller wrote it.
struct NumberRead {
  std::string text;
  SourceRange given;  // invalid: a default, or a value of the function's own
};

std::vector<NumberRead> numbers_read(const Elaboration& e, ast::ExprId condition) {
  std::vector<NumberRead> numbers;
  for (const std::string& name : names_read(e, condition)) {
    if (const auto axis = e.frame().axes.find(name); axis != e.frame().axes.end()) {
      numbers.push_back({fmt::format("`{}` is {}", name, axis->second.size), {}});
      continue;
    }
    const auto known = e.frame().names.find(name);
    const std::string text = known == e.frame().names.end() ? "" : numbers_text(known->second);
    if (text.empty()) continue;
    const auto given = e.frame().given.find(name);
    const bool is_written = given != e.frame().given.end() && !e.is_std(given->second);
    numbers.push_back({fmt::format("`{}` is {}", name, text), is_written ? given->second : SourceRange{}});
  }
  return numbers;
}

bool is_open(const Elaboration& e, FunctionId id) {
  return std::any_of(e.frames.begin(), e.frames.end(),
                     [&](const Frame& frame) { return frame.function == id; });
}

Frame open_frame(Elaboration& e, FunctionId id, const std::string& name, const Call& call) {
  Frame frame;
  frame.unit = id.unit;
  frame.function = id;
  frame.name = name;
  frame.call = call.range;
  frame.serial = e.next_serial++;
  return frame;
}

/// The one instance of a model or of what is shared, or a fresh layer in the caller's.
void give_instance(Elaboration& e, Frame& frame, const FunctionValue& callee, CallSite site) {
  if (callee.shared.is_valid()) {
    frame.instance = e.shared_layers[callee.shared].instance;
    frame.is_in_model = true;
    return;
  }
  const ast::Function& function = e.library.function(*frame.function);
  if (function.kind == ast::FunctionKind::kModel) {
    const auto [place, is_new] = e.models.try_emplace(*frame.function);
    if (is_new) {
      Instance instance;
      instance.path = function.name.text;
      place->second = e.instances.add(std::move(instance));
    }
    frame.instance = place->second;
    frame.is_in_model = true;
    return;
  }
  frame.instance = child_instance(e, e.frame().instance, frame.name, site);
  frame.is_in_model = e.frame().is_in_model;
}

/// A call that is not carried out for an error: its instance exists, but nothing is known of its members.
Value abandon_call(Elaboration& e, const FunctionValue& function, CallSite site) {
  if (function.candidates.size() != 1) return {Poison{}};
  Frame frame;
  frame.function = function.candidates.front();
  frame.name = function.name;
  give_instance(e, frame, function, site);
  Instance& instance = e.instances[frame.instance];
  instance.is_failed = instance.is_failed || instance.values.empty();
  return {Poison{}};
}

Value return_value(Elaboration& e, const ast::Statement& statement) {
  const ast::Function& function = e.library.function(*e.frame().function);
  const SourceRange range = e.expr(statement.value).range;
  Value value = evaluate(e, statement.value);
  if (value.is_poison() || (!function.result && function.kind != ast::FunctionKind::kLoss)) return value;
  std::optional<TensorValue> tensor = tensor_of(e, {value, range});
  if (!tensor) return {Poison{}};
  if (function.result) tensor = fit_result(e, *function.result, *tensor, range);
  if (!tensor) return {Poison{}};
  if (function.kind == ast::FunctionKind::kLoss && !tensor->axes.empty()) {
    e.error(range, kLossShape, function.name.text, axes_text(tensor->axes))
        .note("`sum(...)` or `mean(...)` makes one number of it");
    return {Poison{}};
  }
  return {*tensor, value.origin};
}

void run_statement(Elaboration& e, const ast::Statement& statement, std::optional<Value>& result) {
  if (result) {
    e.error(statement.range, kAfterReturn);
    return;
  }
  const OriginScope origin(e, statement.range);
  switch (statement.kind) {
    case ast::StatementKind::kLet:
      return elaborate_let(e, statement);
    case ast::StatementKind::kElement:
      return elaborate_element(e, statement);
    case ast::StatementKind::kDeclare:
      return elaborate_declaration(e, statement);
    case ast::StatementKind::kShare:
      return elaborate_share(e, statement);
    case ast::StatementKind::kRequire:
      if (!elaborate_require(e, statement)) result = Value{Poison{}};
      return;
    case ast::StatementKind::kReturn:
      result = return_value(e, statement);
      return;
    case ast::StatementKind::kAssign:
      return elaborate_state_write(e, statement);
  }
}

/// Elaborates the body of the open frame.
Value run_body(Elaboration& e) {
  const ast::Function& function = e.library.function(*e.frame().function);
  std::optional<Value> result;
  for (const ast::Statement& statement : function.body) {
    run_statement(e, statement, result);
    // What does not hold makes nonsense of what stands behind it.
    if (result && result->is_poison() && statement.kind == ast::StatementKind::kRequire) return {Poison{}};
  }
  if (!result) {
    e.error(function.name.range, kNoReturn, function.name.text);
    return {Poison{}};
  }
  check_states_written(e);
  if (TensorValue* tensor = std::get_if<TensorValue>(&result->data)) {
    forget_scope(tensor->axes, e.frame().serial);
  }
  return *std::move(result);
}

/// The `return` of the user's own text, else the call.
SourceRange result_place(const Elaboration& e, const Frame& frame) {
  const std::vector<ast::Statement>& body = e.library.function(*frame.function).body;
  return e.is_std(body.back().range) ? e.user_place(frame.call) : body.back().range;
}

/// Whether a call has values or parameters of its own, be it in what it calls.
bool has_values(const Elaboration& e, InstanceId id) {
  std::vector<InstanceId> open{id};
  while (!open.empty()) {
    const Instance& instance = e.instances[open.back()];
    open.pop_back();
    if (!instance.values.empty()) return true;
    for (const auto& [callee, numbered] : instance.children) {
      for (const auto& [number, child] : numbered) open.push_back(child);
    }
  }
  return false;
}

/// A layer of the library is one value of the program, whatever it calls for itself.
bool is_shown_layer(const Elaboration& e, const Frame& frame) {
  if (e.library.is_user(frame.unit)) return !e.instances[frame.instance].values.empty();
  return !e.is_std(frame.call) && has_values(e, frame.instance);
}

/// A layer, model or loss of the user's gives its result a name; the first application is kept.
void record_result(Elaboration& e, const Frame& frame, const Value& value) {
  const ast::Function& function = e.library.function(*frame.function);
  Instance& instance = e.instances[frame.instance];
  const bool is_outermost = std::none_of(e.frames.begin(), e.frames.end(), [&](const Frame& open) {
    return open.function && e.library.function(*open.function).kind == ast::FunctionKind::kModel;
  });
  const bool is_model = function.kind == ast::FunctionKind::kModel;
  if (is_model && is_outermost) e.applied.emplace_back(function.name.text, value);
  if (!instance.result) instance.result = value;
  const TensorValue* tensor = value.as<TensorValue>();
  if (!tensor) return;
  const bool is_plain = function.kind == ast::FunctionKind::kFn || function.kind == ast::FunctionKind::kWhole;
  const bool is_named = e.library.is_user(frame.unit) && !is_plain;
  const bool is_layer = frame.is_in_model && !is_model && is_shown_layer(e, frame);
  if (!e.is_naming || (!is_named && !is_layer)) return;
  const bool is_loss = function.kind == ast::FunctionKind::kLoss;
  const bool has_name = !e.builder.graph().infos[tensor->id].name.empty();
  if (is_loss || (is_layer && !has_name)) e.builder.set_name(tensor->id, function.name.text);
  if (!e.named_before.insert(instance.path).second) return;
  e.named.push_back({instance.path, tensor->id, result_place(e, frame)});
}

/// The index of the first candidate that binds, with its frame left open.
std::optional<FunctionId> open_overload(Elaboration& e, const FunctionValue& function, const Call& call,
                                        CallSite site) {
  Diagnostics* const sink = e.diagnostics;
  for (const FunctionId id : function.candidates) {
    Diagnostics trial;
    if (function.candidates.size() > 1) e.diagnostics = &trial;
    Frame frame = open_frame(e, id, function.name, call);
    give_instance(e, frame, function, site);
    e.frames.push_back(std::move(frame));
    const bool fits = bind_arguments(e, e.library.function(id).formals, call);
    e.diagnostics = sink;
    if (fits) return id;
    e.frames.pop_back();
  }
  return std::nullopt;
}

/// "[3]", or what else an argument of a call is that no form of the function takes.
std::string argument_text(const Elaboration& e, const FunctionValue& function, const ArgumentPlace& place,
                          const Value& value) {
  if (std::optional<std::string> misfit = misfit_text(e, function, place, value)) return *std::move(misfit);
  const std::optional<Axes> axes = axes_if_tensor(e, value);
  return axes ? axes_text(*axes) : kind_text(value);
}

void report_overloads(Elaboration& e, const FunctionValue& function, const Call& call) {
  Report report = e.error(call.range, kNoOverload, function.name);
  std::size_t positional = 0;
  for (const CallArgument& argument : call.arguments) {
    e.label(report, argument.operand.range,
            "this is " + argument_text(e, function, {argument.name, positional}, argument.operand.value));
    positional += argument.name ? 0 : 1;
  }
  for (const FunctionId id : function.candidates) {
    const ast::Function& candidate = e.library.function(id);
    report.note(
        fmt::format("{}, {}", signature_text(e, candidate), e.sources.line_reference(candidate.name.range)));
  }
}

bool has_poison(const Call& call) {
  return std::any_of(call.arguments.begin(), call.arguments.end(),
                     [](const CallArgument& argument) { return argument.operand.value.is_poison(); });
}

/// A function that says nothing of shapes gets lists whole, so that it may reduce over all parameters.
bool takes_lists(const Elaboration& e, const FunctionValue& function) {
  if (function.candidates.size() != 1) return false;
  const std::vector<ast::Formal>& formals = e.library.function(function.candidates.front()).formals;
  return std::none_of(formals.begin(), formals.end(),
                      [](const ast::Formal& formal) { return formal.type || !formal.words.empty(); });
}

/// In an update rule a function applies to each parameter.
std::optional<Value> call_in_lockstep(Elaboration& e, const FunctionValue& function, const Call& call,
                                      CallSite site) {
  std::vector<Operand> operands;
  for (const CallArgument& argument : call.arguments) operands.push_back(argument.operand);
  const bool is_lockstep = std::any_of(operands.begin(), operands.end(), [](const Operand& operand) {
    const ListValue* list = mapped_list(operand);
    return list && list->kind == ListKind::kLockstep;
  });
  if (!is_lockstep || takes_lists(e, function)) return std::nullopt;
  return map_lists(e, operands, call.range, [&](const std::vector<Operand>& items) {
    Call one = call;
    for (std::size_t i = 0; i < items.size(); ++i) one.arguments[i].operand = items[i];
    return call_function(e, function, one, site);
  });
}

/// The built-in function that the callee names, if it does.
const Builtin* builtin_named(Elaboration& e, const ast::Expr& callee) {
  if (callee.kind != ast::ExprKind::kName || e.library.find(e.frame().unit, callee.text)) return nullptr;
  const std::optional<Value> value = find_name(e, callee.text);
  const FunctionValue* function = value ? value->as<FunctionValue>() : nullptr;
  return function ? function->builtin : nullptr;
}

/// Whether an argument of `where` is the one that a condition known at compile time does not choose: it is
/// not elaborated, and so no parameter of it exists.
bool is_left_out(const Call& before, const std::optional<ast::Name>& name) {
  if (before.arguments.empty()) return false;
  const CallArgument& first = before.arguments.front();
  const bool is_condition = !first.name || first.name->text == "condition";
  const TruthValue* truth = is_condition ? first.operand.value.as<TruthValue>() : nullptr;
  if (!truth) return false;
  const bool is_first = name ? name->text == "a" : before.arguments.size() == 1;
  const bool is_second = name ? name->text == "b" : before.arguments.size() == 2;
  return truth->value ? is_second : is_first;
}

/// Whether `over = a` and `to = [b, a]` name axes, which may be no values: not for what is written in the
/// language.
bool takes_axis(Elaboration& e, const ast::Expr& callee) {
  if (callee.kind != ast::ExprKind::kName) return true;
  const TopName* top = e.library.find(e.frame().unit, callee.text);
  const bool is_local = e.frame().names.count(callee.text) > 0;
  if (top && top->kind == TopName::Kind::kOptimizer && !is_local) return false;
  const std::optional<Value> value = find_name(e, callee.text);
  const FunctionValue* function = value ? value->as<FunctionValue>() : nullptr;
  return !function || function->builtin;
}

void unpack(Elaboration& e, const ast::Statement& statement, const Value& value) {
  const ListValue* list = value.as<ListValue>();
  if (!list || list->items.size() != statement.names.size()) {
    if (!value.is_poison()) {
      e.error(statement.range, kParts, statement.names.size(), kind_text(value));
    }
    for (const ast::Name& name : statement.names) e.frame().names[name.text] = {Poison{}};
    return;
  }
  for (std::size_t i = 0; i < list->items.size(); ++i) {
    Value item = list->items[i];
    record_name(e, statement.names[i], item);
    e.frame().names[statement.names[i].text] = std::move(item);
  }
}

/// What a shared layer is given comes behind the call's own arguments, as if they were piped to it.
Call with_given(const Call& call, const SharedLayer& shared) {
  Call all = call;
  all.arguments.clear();
  for (const bool is_named : {false, true}) {
    for (const std::vector<CallArgument>* arguments : {&call.arguments, &shared.given}) {
      std::copy_if(arguments->begin(), arguments->end(), std::back_inserter(all.arguments),
                   [&](const CallArgument& argument) { return argument.name.has_value() == is_named; });
    }
  }
  return all;
}

/// Whether one instance can be made of it here.
bool is_sharable(Elaboration& e, const Operand& layer) {
  const FunctionValue* function = layer.value.as<FunctionValue>();
  const bool is_shared = function && function->shared.is_valid();
  if (!function || function->builtin || is_shared) {
    e.error(layer.range, kNotALayer, is_shared ? "a shared layer" : kind_text(layer.value))
        .note("what is shared is a function with parameters: `share enc = dense(units = 32)`");
    return false;
  }
  const bool is_model =
      std::any_of(function->candidates.begin(), function->candidates.end(),
                  [&](FunctionId id) { return e.library.function(id).kind == ast::FunctionKind::kModel; });
  if (is_model) {
    e.error(layer.range, kNotALayer, fmt::format("the model `{}`", function->name))
        .note("a model is one instance already, however often it is applied");
    return false;
  }
  return true;
}

Value shared_layer(Elaboration& e, const ast::Statement& statement) {
  if (!statement.value.is_valid()) return {Poison{}};
  const ast::Name& name = statement.names.front();
  if (!e.frame().is_in_model) {
    e.error(name.range, kShareOutside, name.text)
        .note("parameters belong to a model: write `model NAME(...) { ... }` and call this function there");
    return {Poison{}};
  }
  const ast::Expr& text = e.expr(statement.value);
  const bool is_call = text.kind == ast::ExprKind::kCall;
  const Operand layer = evaluate_operand(e, is_call ? text.args[0] : statement.value);
  if (layer.value.is_poison() || !is_sharable(e, layer)) return {Poison{}};
  const Call call = is_call ? evaluate_arguments(e, text, std::nullopt) : Call{};
  if (has_poison(call)) return {Poison{}};
  // A call of the same name has its numbers from 0 on.
  const InstanceId instance = child_instance(e, e.frame().instance, name.text, {.number = -1});
  FunctionValue function = *layer.value.as<FunctionValue>();
  function.shared = e.shared_layers.add({instance, call.arguments});
  return {std::move(function)};
}

}  // namespace

Value call_function(Elaboration& e, const FunctionValue& function, const Call& call, CallSite site) {
  ++e.calls;
  if (std::optional<Value> answer = call_around_whole(e, function, call)) return *std::move(answer);
  if (std::any_of(function.candidates.begin(), function.candidates.end(),
                  [&](FunctionId id) { return is_open(e, id); })) {
    e.error(call.range, kRecursion, function.name).note(circle_text(e, function.name));
    return {Poison{}};
  }
  if (has_poison(call)) return abandon_call(e, function, site);
  if (std::optional<Value> mapped = call_in_lockstep(e, function, call, site)) return *std::move(mapped);
  if (!open_overload(e, function, call, site)) {
    if (function.candidates.size() > 1) report_overloads(e, function, call);
    return abandon_call(e, function, site);
  }
  Value value = run_body(e);
  const Frame closed = std::move(e.frames.back());
  e.frames.pop_back();
  if (!value.is_poison()) record_result(e, closed, value);
  return value;
}

namespace {

// Out of line: what these hold would lie on the stack of every call that is open, in whose arguments others
// stand.

[[gnu::noinline]] void add_argument(Call& call, const ast::Argument& argument, const Operand& operand) {
  call.arguments.push_back({argument.name, operand, argument.value});
}

/// Whether the argument is a word that the callee declares; then it joins the call.
[[gnu::noinline]] bool add_word(Elaboration& e, Call& call, const ast::Expr& callee,
                                const ast::Argument& argument, std::size_t positional) {
  if (!argument.value.is_valid()) return false;
  const std::optional<Value> word = word_argument(e, callee, {argument.name, positional}, argument.value);
  if (word) add_argument(call, argument, {*word, e.expr(argument.value).range});
  return word.has_value();
}

[[gnu::noinline]] void add_nothing(Elaboration& e, Call& call, const ast::Argument& argument) {
  add_argument(call, argument, {number_value(0), e.expr(argument.value).range});
}

[[gnu::noinline]] void add_value(Elaboration& e, Call& call, const ast::Argument& argument) {
  add_argument(call, argument, evaluate_operand(e, argument.value));
}

}  // namespace

Call evaluate_arguments(Elaboration& e, const ast::Expr& expr, const std::optional<Operand>& piped) {
  Call call{expr.range, {}, {}};
  if (piped) call.arguments.push_back({std::nullopt, *piped, {}});
  const ast::Expr& callee = e.expr(expr.args[0]);
  const Builtin* builtin = builtin_named(e, callee);
  // In a schedule a condition is known for one moment only.
  const bool is_choice = builtin && builtin->call == where_call && !e.rate_schedule;
  std::size_t positional = call.arguments.size();
  for (const ast::Argument& argument : expr.arguments) {
    if (is_choice && argument.value.is_valid() && is_left_out(call, argument.name)) {
      add_nothing(e, call, argument);
      continue;
    }
    const std::size_t place = argument.name ? positional : positional++;
    if (add_word(e, call, callee, argument, place)) continue;
    const bool is_named = argument.name && (argument.name->text == "over" || argument.name->text == "to");
    if (is_named && takes_axis(e, callee)) {
      add_nothing(e, call, argument);
    } else {
      add_value(e, call, argument);
    }
  }
  return call;
}

Value evaluate_call(Elaboration& e, ast::ExprId callee, const Call& call) {
  const Operand target = evaluate_operand(e, callee);
  if (target.value.is_poison()) return {Poison{}};
  const FunctionValue* function = target.value.as<FunctionValue>();
  if (!function) {
    Report report = e.error(target.range, kNotAFunction, kind_text(target.value));
    e.label_origin(report, target);
    return {Poison{}};
  }
  if (function->builtin) return call_builtin(e, *function->builtin, call);
  FunctionValue named = *function;
  const ast::Expr& text = e.expr(callee);
  if (text.kind == ast::ExprKind::kName) named.name = text.text;
  if (function->shared.is_valid()) {
    return call_function(e, named, with_given(call, e.shared_layers[function->shared]), {});
  }
  return call_function(e, named, call, call_site(e, callee));
}

void elaborate_share(Elaboration& e, const ast::Statement& statement) {
  if (statement.names.empty()) return;
  const ast::Name& name = statement.names.front();
  check_given_once(e, name);
  e.frame().names[name.text] = {shared_layer(e, statement).data, name.range};
}

void elaborate_let(Elaboration& e, const ast::Statement& statement) {
  Value value = evaluate(e, statement.value);
  for (const ast::Name& name : statement.names) check_given_once(e, name);
  if (statement.names.size() > 1) return unpack(e, statement, value);
  if (statement.names.empty()) return;
  record_name(e, statement.names.front(), value);
  e.frame().names[statement.names.front().text] = std::move(value);
}

std::optional<bool> requirement_holds(Elaboration& e, const ast::Statement& statement) {
  const Value value = evaluate(e, statement.value);
  if (const TruthValue* truth = value.as<TruthValue>()) return truth->value;
  if (!value.is_poison()) e.error(e.expr(statement.value).range, kRequireKind, kind_text(value));
  return std::nullopt;
}

Report report_requirement(Elaboration& e, const ast::Statement& statement, const std::string& when) {
  const SourceRange range = e.expr(statement.value).range;
  const std::vector<NumberRead> numbers = numbers_read(e, statement.value);
  SourceRange place = e.frame().call.is_valid() ? e.frame().call : range;
  const auto is_written = [](const NumberRead& number) { return number.given.is_valid(); };
  const bool has_one = std::count_if(numbers.begin(), numbers.end(), is_written) == 1;
  if (has_one) place = std::find_if(numbers.begin(), numbers.end(), is_written)->given;
  Report report = e.error(place, kRequire, std::string(e.sources.text(range)), when);
  e.label(report, range, "is required here");
  for (const NumberRead& number : numbers) {
    if (!number.given.is_valid()) {
      report.note(number.text);
    } else if (has_one) {
      report.here(number.text);
    } else {
      report.label(number.given, number.text);
    }
  }
  return report;
}

bool elaborate_require(Elaboration& e, const ast::Statement& statement) {
  // What stands around a rule was looked at with its numbers, before they became inputs of the step.
  if (e.rule && e.rate_schedule && !e.rate_schedule->is_trial) return true;
  const bool holds = requirement_holds(e, statement).value_or(true);
  if (!holds) report_requirement(e, statement, "");
  return holds;
}

}  // namespace dlg
