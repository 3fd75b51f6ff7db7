#include "frontend/elaborate/whole_functions.h"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/functions.h"
#include "frontend/elaborate/row_axis.h"
#include "frontend/elaborate/tensors.h"
#include "ir/graph/rewriter.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kOutOfPlace{
    DiagCode::WholeOutOfPlace, Severity::kError,
    "`{}` sees all rows of a part of the data, expected its call as an item of `metrics`"};
constexpr Diag<std::string> kModelInside{
    DiagCode::WholeForm, Severity::kError,
    "the model `{}` is called in a `whole fn`, expected what it gives among the arguments"};
constexpr Diag<std::string> kNoRows{DiagCode::WholeForm, Severity::kError,
                                    "`{}` has no argument with a value for each row, expected one as in "
                                    "`y: [rows]`"};
constexpr Diag<std::string, std::string> kFirstAxis{
    DiagCode::WholeForm, Severity::kError,
    "the argument `{}` is {}, expected the rows as the first axis, a variable as in `[rows]`"};
constexpr Diag<std::string, std::string, std::string> kOtherRows{
    DiagCode::WholeForm, Severity::kError, "the argument `{}` begins with the axis `{}`, expected `{}`"};
constexpr Diag<std::string, std::string> kNotPerRow{
    DiagCode::WholeForm, Severity::kError,
    "an argument of `{}` is {}, the same for all samples, expected a value for each"};
constexpr Diag<std::string> kCondition{DiagCode::ElementTypes, Severity::kError,
                                       "an argument of `{}` is a condition, expected numbers"};
constexpr Diag<std::string, std::string> kResult{
    DiagCode::WholeForm, Severity::kError,
    "the metric `{}` is {}, expected one number `[]`, or a table with two axes"};

bool is_whole(const Elaboration& e, const FunctionValue& function) {
  return !function.candidates.empty() &&
         e.library.function(function.candidates.front()).kind == ast::FunctionKind::kWhole;
}

/// The variable that the type of an argument begins with; nullopt: something else.
std::optional<std::string> first_variable(const Elaboration& e, FunctionId id, const ast::TypeText& type) {
  const ast::File& unit = e.library.unit(id.unit);
  if (type.axes.empty()) return std::nullopt;
  const ast::Axis& first = type.axes.front();
  const bool is_name = !first.is_rest && !first.label && first.size.is_valid() &&
                       unit.exprs[first.size].kind == ast::ExprKind::kName;
  if (!is_name) return std::nullopt;
  const std::string& name = unit.exprs[first.size].text;
  const TopName* top = e.library.find(id.unit, name);
  const bool is_declared = top && top->kind == TopName::Kind::kDefinition && top->unit == id.unit;
  return is_declared ? std::nullopt : std::optional(name);
}

/// Whether all arguments that are values begin with the same variable.
bool has_form(Elaboration& e, FunctionId id) {
  const ast::Function& function = e.library.function(id);
  std::optional<std::string> rows;
  for (const ast::Formal& formal : function.formals) {
    if (!formal.type) continue;
    const std::optional<std::string> first = first_variable(e, id, *formal.type);
    if (!first) {
      e.error(formal.type->range, kFirstAxis, formal.name.text,
              "`" + std::string(e.sources.text(formal.type->range)) + "`");
      return false;
    }
    if (rows && *rows != *first) {
      e.error(formal.type->range, kOtherRows, formal.name.text, *first, *rows)
          .note("all arguments have the rows of one part");
      return false;
    }
    rows = first;
  }
  if (!rows) e.error(function.name.range, kNoRows, function.name.text);
  return rows.has_value();
}

/// The number, word or function itself, which is the same in any graph.
bool is_same_anywhere(const Value& value) {
  const FunctionValue* function = value.as<FunctionValue>();
  const bool is_function = function && !function->shared.is_valid();
  return is_number_list(value) || value.as<TextValue>() || value.as<TruthValue>() || is_function;
}

}  // namespace

WholePart::WholePart(Elaboration& program)
    : program_(program),
      builder_(graph_),
      inner_(program.sources, program.library, builder_, *program.diagnostics, DType::kF64) {
  inner_.is_whole = true;
  inner_.is_naming = false;
  inner_.mode = ProgramMode::kEvaluation;
  inner_.data.emplace_back().batching = Batching::kShared;
}

/// An input of the inner graph; its element type is `dtype`, or what its use in there asks for.
Value WholePart::row_value(const Operand& operand, const Axes& axes, std::optional<DType> dtype) {
  const std::size_t number = values_.size();
  DeclaredField field;
  field.field.name = fmt::format("whole.{}", number);
  field.field.path = field.field.name;
  field.field.range = operand.range;
  field.axes = axes;
  field.axes.insert(field.axes.begin(), Axis{"", kBatch, 0});
  inner_.data.front().fields.push_back(std::move(field));
  values_.push_back({inner_.data.front().fields.back().field.path, operand, number});
  const FieldValue inner{0, number};
  if (!dtype) return {inner, operand.value.origin};
  return {field_tensor(inner_, inner, *dtype), operand.value.origin};
}

/// A value of the program's graph.
std::optional<Value> WholePart::row_tensor(const Operand& operand, const std::string& callee) {
  const std::optional<TensorValue> tensor = tensor_of(program_, operand);
  if (!tensor) return std::nullopt;
  if (tensor->batching == Batching::kShared) {
    Report report = program_.error(operand.range, kNotPerRow, callee, axes_text(tensor->axes));
    program_.label_origin(report, operand);
    return std::nullopt;
  }
  if (tensor->dtype == DType::kBool) {
    program_.error(operand.range, kCondition, callee).note("`fraction(c)` makes numbers of conditions");
    return std::nullopt;
  }
  const auto [place, is_new] = by_value_.try_emplace(tensor->id, values_.size());
  const DType dtype = is_float(tensor->dtype) ? DType::kF64 : tensor->dtype;
  if (is_new) return row_value(operand, tensor->axes, dtype);
  return Value{field_tensor(inner_, {0, values_[place->second].field}, dtype), operand.value.origin};
}

/// The argument as the function gets it; nullopt after an error.
std::optional<Value> WholePart::inner_value(const Operand& operand, const std::string& callee) {
  if (is_same_anywhere(operand.value)) return operand.value;
  const FieldValue* field = operand.value.as<FieldValue>();
  if (!field) return row_tensor(operand, callee);
  const auto [place, is_new] = by_field_.try_emplace({field->dataset, field->field}, values_.size());
  if (!is_new) return Value{FieldValue{0, values_[place->second].field}, operand.value.origin};
  const DeclaredField& declared = program_.data[field->dataset].fields[field->field];
  const bool is_integer = program_.integer_fields.count(declared.field.path) > 0;
  Value value = row_value(operand, declared.axes, std::nullopt);
  if (is_integer) inner_.integer_fields.insert(values_.back().name);
  return value;
}

/// One number or a table.
Value WholePart::checked_result(const FunctionValue& function, const Call& call, const Value& value) {
  const std::optional<TensorValue> tensor = tensor_of(inner_, {value, call.range});
  if (!tensor) return {Poison{}};
  const bool is_table = tensor->axes.size() == 2 && !has_row_axis(tensor->axes);
  if (is_float(tensor->dtype) && (tensor->axes.empty() || is_table)) {
    return {WholeValue{function.name, *tensor}, call.range};
  }
  const std::string type = is_float(tensor->dtype) ? "" : std::string(dtype_name(tensor->dtype));
  program_.error(call.range, kResult, function.name, type + axes_text(tensor->axes));
  return {Poison{}};
}

Value WholePart::call(const FunctionValue& function, const Call& call) {
  inner_.diagnostics = program_.diagnostics;
  const auto is_good = [&](FunctionId id) { return has_form(program_, id); };
  if (!std::all_of(function.candidates.begin(), function.candidates.end(), is_good)) return {Poison{}};
  Call inside = call;
  for (CallArgument& argument : inside.arguments) {
    std::optional<Value> value = inner_value(argument.operand, function.name);
    if (!value) return {Poison{}};
    argument.operand.value = *std::move(value);
  }
  const Value value = call_function(inner_, function, inside, {});
  if (inner_.too_large_at && !program_.too_large_at) program_.too_large_at = inner_.too_large_at;
  if (inner_.silent_at && !program_.silent_at) program_.silent_at = inner_.silent_at;
  program_.is_text_broken = program_.is_text_broken || inner_.is_text_broken;
  return value.is_poison() ? Value{Poison{}} : checked_result(function, call, value);
}

void WholePart::add(const std::string& name, const WholeValue& value) {
  graph_.outputs.push_back({name, value.result.id});
}

std::optional<Graph> WholePart::finish(std::vector<Output>& outputs) {
  if (graph_.outputs.empty()) return std::nullopt;
  graph_ = compact(graph_);
  for (const RowValue& value : values_) {
    const Input* input = graph_.find_input(value.name);
    if (input == nullptr) continue;
    const DType dtype = is_float(input->type.dtype) ? program_.dtype : input->type.dtype;
    if (const auto tensor = tensor_of(program_, value.operand, dtype))
      outputs.push_back({value.name, tensor->id});
  }
  return std::move(graph_);
}

std::optional<Value> call_around_whole(Elaboration& e, const FunctionValue& function, const Call& call) {
  if (e.is_whole) {
    const bool calls_model =
        std::any_of(function.candidates.begin(), function.candidates.end(),
                    [&](FunctionId id) { return e.library.function(id).kind == ast::FunctionKind::kModel; });
    if (!calls_model) return std::nullopt;
    e.error(call.range, kModelInside, function.name);
    return Value{Poison{}};
  }
  if (!is_whole(e, function)) return std::nullopt;
  const auto is_poison = [](const CallArgument& argument) { return argument.operand.value.is_poison(); };
  if (std::any_of(call.arguments.begin(), call.arguments.end(), is_poison)) return Value{Poison{}};
  if (e.whole && e.frames.size() == 1) return e.whole->call(function, call);
  e.error(call.range, kOutOfPlace, function.name)
      .note("what else is computed of all rows belongs into a `whole fn` too");
  return Value{Poison{}};
}

}  // namespace dlg
