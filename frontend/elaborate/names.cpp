#include "frontend/elaborate/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/elaborate/builtins.h"
#include "frontend/elaborate/choices.h"
#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/definitions.h"
#include "frontend/elaborate/expressions.h"
#include "frontend/elaborate/row_axis.h"
#include "frontend/elaborate/signature.h"
#include "frontend/elaborate/tensors.h"
#include "frontend/elaborate/watched_values.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kUnknownName{DiagCode::UnknownName, Severity::kError, "unknown name `{}`"};
constexpr Diag<std::string, std::string> kUnknownMember{DiagCode::UnknownMember, Severity::kError,
                                                        "`{}` has no `{}`"};
constexpr Diag<> kFieldTooEarly{DiagCode::ExpressionOutOfPlace, Severity::kError,
                                "a field of the data has no value here, only in `train` and `check`"};
constexpr Diag<> kFieldInWhole{DiagCode::ExpressionOutOfPlace, Severity::kError,
                               "a `whole fn` reads its arguments, expected a field of the data among them"};
constexpr Diag<std::string> kNoMembers{DiagCode::UnknownMember, Severity::kError,
                                       "found {} before a point, expected a data block or a model"};
constexpr Diag<std::string> kNotApplied{DiagCode::NotApplied, Severity::kError,
                                        "the model `{}` is not applied anywhere before this"};
constexpr Diag<std::string> kNotAValueName{DiagCode::NotAValue, Severity::kError,
                                           "`{}` is an optimizer, expected a value"};
constexpr Diag<> kNoEnd{DiagCode::BadStop, Severity::kError,
                        "the schedule goes to the last step, and `stop` has no limit in steps or epochs"};
constexpr Diag<std::string> kInsideItself{
    DiagCode::Recursion, Severity::kError,
    "the model `{}` is named inside itself, directly or through others"};
constexpr Diag<std::string> kCircular{DiagCode::Recursion, Severity::kError, "`{}` is defined by itself"};
constexpr Diag<std::string, std::int64_t> kNoSuchLayer{DiagCode::UnknownMember, Severity::kError,
                                                       "there is no `{}[{}]`"};

/// Words of other languages, and how dlg says it.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kOtherWords{{
    {"dot", "a product of matrices is written `a @ b`"},
    {"inf", "every number of a program is finite"},
    {"infinity", "every number of a program is finite"},
    {"linear", "a layer of weights and biases is `dense(units)`"},
    {"ln", "the natural logarithm is `log`"},
    {"loss", "`loss` is the value of `minimize`; it can be named in `check`, `stop` and schedules"},
    {"matmul", "a product of matrices is written `a @ b`"},
    {"mm", "a product of matrices is written `a @ b`"},
    {"nan", "every number of a program is finite"},
    {"pow", "a power is written `x^2`"},
    {"rand", "`uniform_like(x)` draws numbers for every element of x"},
    {"randn", "`normal_like(x)` draws numbers for every element of x"},
    {"reshape", "`x as [row: 8, col: 8]` gives a value other axes"},
    {"square", "a square is written `x^2`"},
}};

/// Known at compile time: whether this is the graph that is trained.
constexpr std::string_view kTrainingWord = "training";

std::optional<Value> word_value(std::string_view name) {
  if (name == "true" || name == "false") return Value{TruthValue{name == "true"}};
  if (!is_choice_word(name)) return std::nullopt;
  return Value{TextValue{std::string(name)}};
}

/// Words for what dlg has under another one, by which they may be replaced.
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kSynonyms{{
    {"arange", "iota"},
    {"cat", "concat"},
    {"ceiling", "ceil"},
    {"clip", "clamp"},
    {"concatenate", "concat"},
    {"permute", "transpose"},
    {"repeat", "spread"},
    {"reverse", "flip"},
    {"tile", "spread"},
}};

std::optional<std::string> synonym(std::string_view name) {
  const auto found =
      std::find_if(kSynonyms.begin(), kSynonyms.end(), [&](const auto& row) { return row.first == name; });
  if (found == kSynonyms.end()) return std::nullopt;
  return std::string(found->second);
}

std::optional<std::string> other_word(std::string_view name) {
  const auto found = std::find_if(kOtherWords.begin(), kOtherWords.end(),
                                  [&](const auto& row) { return row.first == name; });
  if (found == kOtherWords.end()) return std::nullopt;
  return std::string(found->second);
}

std::vector<std::string> visible_names(const Elaboration& e) {
  std::vector<std::string> names = e.library.names(e.frame().unit);
  for (const auto& [name, value] : e.frame().names) names.push_back(name);
  for (const auto& [name, axis] : e.frame().axes) names.push_back(name);
  for (const Builtin& builtin : builtins()) names.emplace_back(builtin.name);
  names.insert(names.end(), {"true", "false", std::string(kTrainingWord)});
  if (e.rate_schedule) names.insert(names.end(), {"step", "epoch", "epoch_steps", "last_step"});
  return names;
}

Value function_value(const Elaboration& e, const std::string& name, const TopName& top) {
  return {FunctionValue{name, e.library.functions(top), nullptr}, top.range};
}

Value top_value(Elaboration& e, const std::string& name, const TopName& top, SourceRange range) {
  if (top.kind == TopName::Kind::kFunction) return function_value(e, name, top);
  if (top.kind == TopName::Kind::kData) return {DataValue{top.indices.front()}, top.range};
  if (top.kind == TopName::Kind::kDefinition) return definition(e, top.unit, top.indices.front());
  e.error(range, kNotAValueName, name);
  return {Poison{}};
}

/// A dim is a size with a name; it must be whole and at least 1.
Value dim_value(Elaboration& e, const ast::Definition& definition, const Value& value) {
  const std::optional<Axis> axis = axis_of(e, {value, e.expr(definition.value).range});
  if (!axis) return {Poison{}};
  return {NumberValue{static_cast<double>(axis->size), Axis{definition.name.text, axis->size, 0}, false},
          definition.name.range};
}

Value const_value(Elaboration& e, const ast::Definition& definition, Value value) {
  value.origin = definition.name.range;
  if (NumberValue* number = std::get_if<NumberValue>(&value.data)) number->axis.reset();
  if (!definition.type || value.is_poison() || value.as<NumberValue>()) return value;
  const std::optional<Axes> axes = declared_axes(e, *definition.type);
  const std::optional<TensorValue> tensor = tensor_of(e, {value, e.expr(definition.value).range});
  if (!axes || !tensor) return {Poison{}};
  std::optional<TensorValue> fitted =
      fit_result(e, *definition.type, *tensor, e.expr(definition.value).range);
  if (!fitted) return {Poison{}};
  return {*fitted, definition.name.range};
}

/// Whether any of the instances of one callee has something to name behind a point.
bool has_names(const Elaboration& e, const std::map<std::int64_t, InstanceId>& instances) {
  return std::any_of(instances.begin(), instances.end(), [&](const auto& child) {
    const Instance& instance = e.instances[child.second];
    return !instance.values.empty() || !instance.children.empty();
  });
}

/// Where the open function gives the name a value, further down.
std::optional<SourceRange> later_value(const Elaboration& e, const std::string& name) {
  if (!e.frame().function) return std::nullopt;
  const ast::Name* given = name_given_in(e.library.function(*e.frame().function).body, name);
  return given ? std::optional(given->range) : std::nullopt;
}

/// A model whose body is being elaborated has no value yet, under whatever name it is reached.
bool is_open_model(const Elaboration& e, const TopName& top) {
  if (top.kind != TopName::Kind::kFunction) return false;
  const FunctionId id{top.unit, top.indices.front()};
  return e.library.function(id).kind == ast::FunctionKind::kModel &&
         std::any_of(e.frames.begin(), e.frames.end(),
                     [&](const Frame& frame) { return frame.function == id; });
}

/// The message about an unknown member: the nearest name, else all there are.
Value report_unknown_member(Elaboration& e, const std::string& owner, const std::string& name,
                            const std::vector<std::string>& candidates, SourceRange range) {
  constexpr std::size_t kMostListed = 12;
  Report report = e.error(range, kUnknownMember, owner, name);
  if (const auto near = nearest_name(name, candidates)) {
    report.suggest(range, *near, fmt::format("did you mean `{}`?", *near));
  } else if (!candidates.empty() && candidates.size() <= kMostListed) {
    std::vector<std::string> quoted;
    for (const std::string& candidate : candidates) quoted.push_back(fmt::format("`{}`", candidate));
    report.note(fmt::format("`{}` has {}", owner, join_words(quoted)));
  } else if (!candidates.empty()) {
    const std::vector<std::string> first(candidates.begin(), candidates.begin() + kMostListed);
    report.note(
        fmt::format("`{}` has {} names: `{}`, ...", owner, candidates.size(), join_text(first, "`, `")));
  }
  return {Poison{}};
}

Value instance_member(Elaboration& e, InstanceId id, const std::string& name, SourceRange range) {
  const Instance& instance = e.instances[id];
  const auto value = instance.values.find(name);
  if (value != instance.values.end()) return value->second;
  const auto children = instance.children.find(name);
  if (children != instance.children.end()) {
    if (instance.numbered.count(name) > 0) return {FamilyValue{id, name}};
    return {InstanceValue{children->second.begin()->second}};
  }
  if (instance.is_failed) return {Poison{}};
  std::vector<std::string> candidates;
  for (const auto& [key, known] : instance.values) candidates.push_back(key);
  for (const auto& [key, known] : instance.children) {
    if (has_names(e, known)) candidates.push_back(key);
  }
  return report_unknown_member(e, instance.path, name, candidates, range);
}

Value field_member(Elaboration& e, const DataValue& data, const std::string& name, SourceRange range) {
  if (e.is_whole) {
    e.error(range, kFieldInWhole);
    return {Poison{}};
  }
  if (data.dataset >= e.data.size()) {
    e.error(range, kFieldTooEarly);
    return {Poison{}};
  }
  const DeclaredData& declared = e.data[data.dataset];
  std::vector<std::string> candidates;
  for (std::size_t i = 0; i < declared.fields.size(); ++i) {
    const Field& field = declared.fields[i].field;
    if (field.name == name && declared.fields[i].is_bad) return {Poison{}};
    if (field.name == name) {
      e.data[data.dataset].fields[i].is_used = true;
      return {FieldValue{data.dataset, i}, field.range};
    }
    candidates.push_back(field.name);
  }
  return report_unknown_member(e, declared.dataset.name, name, candidates, range);
}

bool is_model(const Elaboration& e, const FunctionValue& function) {
  return function.candidates.size() == 1 &&
         e.library.function(function.candidates.front()).kind == ast::FunctionKind::kModel;
}

}  // namespace

std::string circle_text(const Elaboration& e, const std::string& name) {
  std::vector<std::string> names;
  for (auto frame = e.frames.rbegin(); frame != e.frames.rend(); ++frame) {
    if (!frame->name.empty()) names.insert(names.begin(), frame->name);
    if (frame->name == name) break;
  }
  names.push_back(name);
  return fmt::format("the way round: `{}`", join_text(names, "` needs `"));
}

std::optional<Value> find_name(Elaboration& e, const std::string& name) {
  const auto local = e.frame().names.find(name);
  if (local != e.frame().names.end()) return local->second;
  const auto axis = e.frame().axes.find(name);
  if (axis != e.frame().axes.end()) {
    return Value{NumberValue{static_cast<double>(axis->second.size), axis->second, false}};
  }
  if (const TopName* top = e.library.find(e.frame().unit, name)) return top_value(e, name, *top, {});
  if (!e.frame().function && name == "loss" && e.loss && !e.rate_schedule) return *e.loss;
  if (std::optional<Value> moment = e.rate_schedule ? e.rate_schedule->moment(name) : std::nullopt) {
    e.rate_schedule->is_read = true;
    return moment;
  }
  if (std::optional<Value> measured = e.rate_schedule ? measured_word(e, name) : std::nullopt) {
    e.rate_schedule->is_read = true;
    return measured;
  }
  if (name == kTrainingWord) {
    e.has_modes = true;
    return Value{TruthValue{e.mode == ProgramMode::kTraining}};
  }
  if (const Builtin* builtin = find_builtin(name)) return Value{FunctionValue{name, {}, builtin}};
  return word_value(name);
}

Value look_up(Elaboration& e, const std::string& name, SourceRange range) {
  const bool is_local = e.frame().names.count(name) > 0 || e.frame().axes.count(name) > 0;
  const TopName* top = is_local ? nullptr : e.library.find(e.frame().unit, name);
  if (top && top->kind == TopName::Kind::kOptimizer) return top_value(e, name, *top, range);
  if (top && is_open_model(e, *top)) {
    Report report = e.error(range, kInsideItself, name);
    report.note(circle_text(e, name));
    if (is_choice_word(name))
      report.note(fmt::format(
          "`{}` is a word of the library too; to use that here, give the model another name", name));
    return {Poison{}};
  }
  if (std::optional<Value> value = find_name(e, name)) {
    const NumberValue* number = value->as<NumberValue>();
    if (!number || !number->axis || !is_row_axis(*number->axis)) return *std::move(value);
    report_rows_as_number(e, name, range);
    return {Poison{}};
  }
  if (e.rate_schedule && name == "last_step") {
    e.error(range, kNoEnd).note("add one: `stop = [20 epochs]`");
    return {Poison{}};
  }
  Report report = e.error(range, kUnknownName, name);
  if (const std::optional<SourceRange> later = later_value(e, name)) {
    e.label(report, *later, "gets its value only here");
  } else if (const auto said = other_word(name)) {
    report.note(*said);
  } else if (const auto same = synonym(name)) {
    report.suggest(range, *same, fmt::format("this is `{}` here", *same));
  } else if (const auto near = nearest_name(name, visible_names(e))) {
    report.suggest(range, *near, fmt::format("did you mean `{}`?", *near));
  }
  return {Poison{}};
}

Value part_member(Elaboration& e, const PartValue& part, const std::string& name, SourceRange range) {
  const auto watched = watched_value(e, e.measurable.metrics, {part.part, name}, range);
  return watched ? Value{MeasuredValue{*watched}} : Value{Poison{}};
}

Value member(Elaboration& e, const Operand& base, const std::string& name, SourceRange range) {
  if (base.value.is_poison()) return {Poison{}};
  if (const DataValue* data = base.value.as<DataValue>()) return field_member(e, *data, name, range);
  if (const PartValue* part = base.value.as<PartValue>()) return part_member(e, *part, name, range);
  if (const auto instance = instance_of(e, base.value)) return instance_member(e, *instance, name, range);
  const FunctionValue* function = base.value.as<FunctionValue>();
  if (function && is_model(e, *function)) {
    e.error(base.range, kNotApplied, function->name);
    return {Poison{}};
  }
  Report report = e.error(base.range, kNoMembers, kind_text(base.value));
  if (base.value.as<FamilyValue>()) report.note("one of several is named by its number, from 0: `dense[0]`");
  return {Poison{}};
}

Value family_member(Elaboration& e, const FamilyValue& family, std::int64_t index, SourceRange range) {
  const std::map<std::int64_t, InstanceId>& children = e.instances[family.parent].children[family.callee];
  const auto found = children.find(index);
  if (found != children.end()) return {InstanceValue{found->second}};
  e.error(range, kNoSuchLayer, family.callee, index)
      .note(fmt::format("`{}` has {} of them, numbered from 0", e.instances[family.parent].path,
                        children.size()));
  return {Poison{}};
}

Value definition(Elaboration& e, std::size_t unit, std::size_t index) {
  const ast::Definition& declared = e.library.unit(unit).definitions[index];
  const auto [place, is_new] = e.definitions.try_emplace({unit, index}, std::nullopt);
  if (!is_new) {
    if (place->second) return *place->second;
    e.error(declared.name.range, kCircular, declared.name.text).note(circle_text(e, declared.name.text));
    return {Poison{}};
  }
  Frame frame = frame_beside_models(e, unit);
  frame.name = declared.name.text;
  e.frames.push_back(std::move(frame));
  Value value = evaluate(e, declared.value);
  if (!value.is_poison()) {
    value = declared.keyword == "dim" ? dim_value(e, declared, value) : const_value(e, declared, value);
  }
  e.frames.pop_back();
  e.definitions[{unit, index}] = value;
  return value;
}

}  // namespace dlg
