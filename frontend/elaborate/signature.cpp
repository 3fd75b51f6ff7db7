#include "frontend/elaborate/signature.h"

#include <fmt/format.h>

#include "frontend/elaborate/choices.h"
#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/names.h"
#include "frontend/elaborate/tensors.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string, std::string, std::string> kArgumentShape{
    DiagCode::ArgumentShape, Severity::kError, "argument `{}` of `{}` is {}, expected `{}`"};
constexpr Diag<std::string, std::string, std::string, std::string> kArgumentType{
    DiagCode::ElementTypes, Severity::kError, "argument `{}` of `{}` has elements of type {}, expected {}"};
constexpr Diag<std::string, std::string, std::string> kNoCondition{
    DiagCode::ElementTypes, Severity::kError,
    "argument `{}` of `{}` is {}, expected conditions as in `x > 0`"};
constexpr Diag<std::string, std::string> kResultShape{DiagCode::ResultShape, Severity::kError,
                                                      "the result is {}, expected `{}`"};
constexpr Diag<std::string> kUnknownDType{DiagCode::UnknownType, Severity::kError,
                                          "unknown element type `{}`, expected f32, f64 or i32"};
constexpr Diag<> kRestHere{DiagCode::BadAxis, Severity::kError,
                           "`...` stands for axes of an argument, and no argument has bound it"};

/// The name of an axis that is a variable of the signature: neither bound nor declared in the same file.
std::optional<std::string> free_variable(const Elaboration& e, const ast::Axis& axis) {
  if (axis.label || !axis.size.is_valid()) return std::nullopt;
  const ast::Expr& size = e.expr(axis.size);
  if (size.kind != ast::ExprKind::kName || e.frame().names.count(size.text) > 0) return std::nullopt;
  const TopName* top = e.library.find(e.frame().unit, size.text);
  const bool is_declared = top && top->kind == TopName::Kind::kDefinition &&
                           (top->unit == e.frame().unit || !e.library.is_user(e.frame().unit));
  if (is_declared) return std::nullopt;
  return size.text;
}

/// The axis that the text declares, all of whose names are known.
std::optional<Axis> declared_axis(Elaboration& e, const ast::Axis& axis) {
  if (!axis.size.is_valid()) return std::nullopt;
  const Operand size = evaluate_operand(e, axis.size);
  std::optional<Axis> result = axis_of(e, size);
  if (result && axis.label) result = Axis{axis.label->text, result->size, 0};
  return result;
}

/// Matches one axis of a signature; binds a variable on first sight and gives a plain one a later name.
std::optional<Axis> match_axis(Elaboration& e, const ast::Axis& pattern, const Axis& actual) {
  const std::optional<std::string> variable = free_variable(e, pattern);
  if (!variable) {
    const std::optional<Axis> known = declared_axis(e, pattern);
    return known ? unify(*known, actual) : std::nullopt;
  }
  const auto [place, is_new] = e.frame().axes.try_emplace(*variable, actual);
  const std::optional<Axis> common = unify(place->second, actual);
  if (common) place->second = *common;
  return common;
}

std::optional<Axes> match_rest(Elaboration& e, const Axes& actual) {
  std::optional<Axes>& rest = e.frame().rest;
  if (rest) rest = unify(*rest, actual);
  if (!rest) return std::nullopt;
  return rest;
}

/// The axes of a value under a type of the signature; nullopt if they do not fit.
std::optional<Axes> match(Elaboration& e, const ast::TypeText& type, const Axes& actual) {
  std::size_t rest_count = 0;
  for (const ast::Axis& axis : type.axes) rest_count += axis.is_rest ? 1 : 0;
  const std::size_t fixed = type.axes.size() - rest_count;
  if (actual.size() < fixed || (rest_count == 0 && actual.size() != fixed)) return std::nullopt;
  Axes result;
  for (const ast::Axis& pattern : type.axes) {
    if (pattern.is_rest) {
      const auto begin = actual.begin() + static_cast<std::ptrdiff_t>(result.size());
      const Axes part(begin, begin + static_cast<std::ptrdiff_t>(actual.size() - fixed));
      if (!e.frame().rest) e.frame().rest = part;
      const std::optional<Axes> rest = match_rest(e, part);
      if (!rest) return std::nullopt;
      result.insert(result.end(), rest->begin(), rest->end());
      continue;
    }
    const std::optional<Axis> axis = match_axis(e, pattern, actual[result.size()]);
    if (!axis) return std::nullopt;
    result.push_back(*axis);
  }
  return result;
}

/// A variable that is bound to a plain axis gets a name that holds inside this call.
void name_plain_variables(Frame& frame) {
  for (auto& [name, axis] : frame.axes) {
    if (axis.name.empty()) axis = {name, axis.size, frame.serial};
  }
}

struct Binding {
  const ast::Formal* formal = nullptr;
  Operand operand;
};

/// An array of a file that is written without `as`, whose axes nothing has told yet.
bool has_open_axes(const Elaboration& e, const Value& value) {
  const FieldValue* field = value.as<FieldValue>();
  return field && e.data[field->dataset].fields[field->field].is_open;
}

void report_shape(Elaboration& e, const Binding& binding, const Value& value) {
  const ast::Formal& formal = *binding.formal;
  const bool is_open = has_open_axes(e, binding.operand.value);
  const std::optional<Axes> axes = is_open ? std::nullopt : axes_if_tensor(e, value);
  Report report = e.error(binding.operand.range, kArgumentShape, formal.name.text, e.frame().name,
                          is_open ? "a field without axes"
                          : axes  ? axes_text(*axes)
                                  : kind_text(value),
                          std::string(e.sources.text(formal.type->range)));
  if (is_open) report.note("say them where the field is declared: `... as [chan: 1, row: 28, col: 28]`");
  for (const auto& [name, axis] : e.frame().axes) {
    if (axis.scope == 0 && !axis.name.empty() && axis.name != name) {
      report.note(fmt::format("`{}` is {}", name, axes_text({axis})));
    }
  }
  e.label(report, formal.type->range, "is what it must be");
  e.label_origin(report, binding.operand);
}

std::optional<DType> formal_dtype(Elaboration& e, const ast::TypeText& type) {
  if (!type.dtype) return e.dtype;
  const std::optional<DType> dtype = parse_dtype(type.dtype->text);
  if (dtype && *dtype != DType::kU8) return dtype;
  e.error(type.dtype->range, kUnknownDType, type.dtype->text);
  return std::nullopt;
}

bool has_dtype(Elaboration& e, const Binding& binding, DType dtype) {
  const Value& value = binding.operand.value;
  const TensorValue* tensor = value.as<TensorValue>();
  // Numbers and fields take the element type that is asked for, but no number is a condition.
  if (!tensor && dtype == DType::kBool && !value.is_poison()) {
    Report report = e.error(binding.operand.range, kNoCondition, binding.formal->name.text, e.frame().name,
                            kind_text(value));
    e.label(report, binding.formal->name.range, "is declared here");
    return false;
  }
  const bool fits = !tensor || tensor->dtype == dtype || (e.rule && tensor->dtype == DType::kF64);
  if (fits) return true;
  Report report = e.error(binding.operand.range, kArgumentType, binding.formal->name.text, e.frame().name,
                          std::string(dtype_name(tensor->dtype)), std::string(dtype_name(dtype)));
  e.label(report, binding.formal->name.range, "is declared here");
  return false;
}

/// Formals without brackets: whatever is given, or what their words say.
bool bind_plain(Elaboration& e, const Binding& binding) {
  const ast::Formal& formal = *binding.formal;
  std::optional<Value> value = binding.operand.value;
  if (!formal.words.empty()) value = chosen_value(e, formal, binding.operand);
  if (!value) return false;
  value->origin = formal.name.range;
  e.frame().names[formal.name.text] = *std::move(value);
  return true;
}

/// The axis that a pattern stands for before its argument is seen; nullopt: only the argument tells.
std::optional<Axis> known_axis(Elaboration& e, const ast::Axis& pattern) {
  const std::optional<std::string> variable = free_variable(e, pattern);
  if (!variable) return declared_axis(e, pattern);
  const auto bound = e.frame().axes.find(*variable);
  if (bound == e.frame().axes.end()) return std::nullopt;
  return bound->second;
}

std::optional<Axes> known_axes(Elaboration& e, const ast::TypeText& type) {
  Axes axes;
  for (const ast::Axis& pattern : type.axes) {
    if (pattern.is_rest) {
      if (!e.frame().rest) return std::nullopt;
      axes.insert(axes.end(), e.frame().rest->begin(), e.frame().rest->end());
      continue;
    }
    const std::optional<Axis> axis = known_axis(e, pattern);
    if (!axis) return std::nullopt;
    axes.push_back(*axis);
  }
  return axes;
}

/// An array of a file that is written without `as` has the axes of the first formal that says them all.
void give_axes(Elaboration& e, const Binding& binding) {
  if (!has_open_axes(e, binding.operand.value)) return;
  std::optional<Axes> axes = known_axes(e, *binding.formal->type);
  if (!axes) return;
  // A name that holds inside this call means nothing to the data.
  for (Axis& axis : *axes) {
    if (axis.scope != 0) axis = {"", axis.size, 0};
  }
  const FieldValue& value = *binding.operand.value.as<FieldValue>();
  DeclaredField& field = e.data[value.dataset].fields[value.field];
  field.field.source.file_shape = sizes_of(*axes);
  field.axes = std::move(*axes);
  field.is_open = false;
}

/// Both rounds of matching: the first binds the variables, the second gives the axes.
std::optional<std::vector<Axes>> match_all(Elaboration& e, const std::vector<Binding>& typed) {
  std::vector<Axes> result;
  bool is_good = true;
  for (int round = 0; round < 2 && is_good; ++round) {
    result.clear();
    for (const Binding& binding : typed) {
      give_axes(e, binding);
      const std::optional<Axes> actual = axes_if_tensor(e, binding.operand.value);
      const std::optional<Axes> axes = actual ? match(e, *binding.formal->type, *actual) : std::nullopt;
      if (!axes) report_shape(e, binding, binding.operand.value);
      is_good = is_good && axes;
      result.push_back(axes.value_or(Axes{}));
    }
    name_plain_variables(e.frame());
  }
  if (!is_good) return std::nullopt;
  return result;
}

bool bind_tensor(Elaboration& e, const Binding& binding, const Axes& axes, DType dtype) {
  std::optional<TensorValue> tensor = tensor_of(e, binding.operand, dtype);
  if (!tensor) return false;
  tensor->axes = axes;
  const ast::Formal& formal = *binding.formal;
  const bool has_name = !e.builder.graph().infos[tensor->id].name.empty();
  if (e.library.is_user(e.frame().unit) && !has_name) e.builder.set_name(tensor->id, formal.name.text);
  e.frame().names[formal.name.text] = Value{*tensor, formal.name.range};
  return true;
}

bool bind_typed(Elaboration& e, const std::vector<Binding>& typed) {
  const std::optional<std::vector<Axes>> axes = match_all(e, typed);
  if (!axes) return false;
  std::vector<DType> dtypes;
  for (const Binding& binding : typed) {
    const std::optional<DType> dtype = formal_dtype(e, *binding.formal->type);
    if (!dtype || !has_dtype(e, binding, *dtype)) return false;
    dtypes.push_back(*dtype);
  }
  for (std::size_t i = 0; i < typed.size(); ++i) {
    if (!bind_tensor(e, typed[i], (*axes)[i], dtypes[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<Axes> declared_axes(Elaboration& e, const ast::TypeText& type) {
  Axes axes;
  bool is_good = true;
  for (const ast::Axis& axis : type.axes) {
    if (axis.is_rest && e.frame().rest) {
      axes.insert(axes.end(), e.frame().rest->begin(), e.frame().rest->end());
      continue;
    }
    if (axis.is_rest) e.error(axis.range, kRestHere);
    const std::optional<Axis> declared = axis.is_rest ? std::nullopt : declared_axis(e, axis);
    is_good = is_good && declared;
    axes.push_back(declared.value_or(Axis{}));
  }
  if (!is_good) return std::nullopt;
  return axes;
}

bool bind_arguments(Elaboration& e, const std::vector<ast::Formal>& formals, const Call& call) {
  const auto assigned = assign_arguments(e, callee_of(e.frame().name, formals), call);
  if (!assigned) return false;
  std::vector<Binding> typed;
  bool is_good = true;
  for (std::size_t i = 0; i < formals.size(); ++i) {
    const ast::Formal& formal = formals[i];
    const CallArgument* argument = (*assigned)[i];
    if (argument) e.frame().given[formal.name.text] = argument->operand.range;
    const Binding binding{&formal, argument ? argument->operand : evaluate_operand(e, formal.default_value)};
    if (formal.type) {
      typed.push_back(binding);
    } else {
      is_good = bind_plain(e, binding) && is_good;
    }
  }
  return is_good && bind_typed(e, typed);
}

std::optional<TensorValue> fit_result(Elaboration& e, const ast::TypeText& type, const TensorValue& value,
                                      SourceRange range) {
  const std::optional<Axes> axes = match(e, type, value.axes);
  if (!axes) {
    Report report =
        e.error(range, kResultShape, axes_text(value.axes), std::string(e.sources.text(type.range)));
    e.label(report, type.range, "is declared here");
    return std::nullopt;
  }
  TensorValue fitted = value;
  fitted.axes = *axes;
  return fitted;
}

std::string signature_text(const Elaboration& e, const ast::Function& function) {
  std::vector<std::string> parts;
  for (const ast::Formal& formal : function.formals) {
    std::string text = formal.name.text;
    if (formal.type) text += ": " + std::string(e.sources.text(formal.type->range));
    if (!formal.words.empty()) text += ": " + ast::words_text(formal.words);
    parts.push_back(std::move(text));
  }
  return fmt::format("{}({})", function.name.text, fmt::join(parts, ", "));
}

}  // namespace dlg
