#include "frontend/elaborate/choices.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/names.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string, std::string> kChoice{DiagCode::NotANumber, Severity::kError,
                                                              "found {} as argument `{}`, expected {}"};
constexpr Diag<std::string> kUnknownWord{
    DiagCode::UnknownType, Severity::kError,
    "unknown type `{}`, expected `int`, `pair`, `bool`, a word of the library or axes in brackets"};

constexpr std::array<std::string_view, 5> kWords{"macro", "micro", "none", "same", "valid"};

/// A kind of values that a formal may declare.
struct ChoiceKind {
  std::string_view name;
  std::string_view text;
  /// The value as the function gets it; nullopt: it is of another kind.
  std::optional<Value> (*take)(const Value& given);
};

std::optional<Value> take_int(const Value& given) {
  const NumberValue* number = given.as<NumberValue>();
  return number && is_whole(*number) ? std::optional(given) : std::nullopt;
}

std::optional<Value> take_pair(const Value& given) {
  if (take_int(given)) return Value{ListValue{ListKind::kPlain, {given, given}}, given.origin};
  const ListValue* list = given.as<ListValue>();
  const bool is_pair =
      list && list->items.size() == 2 && take_int(list->items[0]) && take_int(list->items[1]);
  return is_pair ? std::optional(given) : std::nullopt;
}

std::optional<Value> take_bool(const Value& given) {
  return given.as<TruthValue>() ? std::optional(given) : std::nullopt;
}

constexpr std::array<ChoiceKind, 3> kKinds{{
    {"bool", "`true` or `false`", take_bool},
    {"int", "a whole number", take_int},
    {"pair", "a whole number or two as in `[3, 5]`", take_pair},
}};

const ChoiceKind* kind_named(std::string_view name) {
  const auto found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const ChoiceKind& kind) { return kind.name == name; });
  return found == kKinds.end() ? nullptr : &*found;
}

std::optional<Value> take(std::string_view word, const Value& given) {
  if (const ChoiceKind* kind = kind_named(word)) return kind->take(given);
  const TextValue* text = given.as<TextValue>();
  return text && text->text == word ? std::optional(given) : std::nullopt;
}

/// "`same`, `valid` or a whole number".
std::string choices_text(const ast::Formal& formal) {
  std::vector<std::string> all;
  for (const ast::Name& word : formal.words) {
    const ChoiceKind* kind = kind_named(word.text);
    all.push_back(kind ? std::string(kind->text) : fmt::format("`{}`", word.text));
  }
  return join_words(all, " or ");
}

std::string found_text(const Value& given) {
  const TextValue* text = given.as<TextValue>();
  if (text && is_choice_word(text->text)) return fmt::format("the word `{}`", text->text);
  return kind_text(given);
}

bool takes_word(const ast::Formal& formal, std::string_view name) {
  return std::any_of(formal.words.begin(), formal.words.end(),
                     [&](const ast::Name& word) { return word.text == name && is_choice_word(name); });
}

/// The formal of each candidate that the argument lands at, where that declares words of the library.
std::vector<const ast::Formal*> formals_with_words(Elaboration& e, const ast::Expr& callee,
                                                   const ArgumentPlace& place) {
  std::vector<const ast::Formal*> found;
  const std::optional<Value> value =
      callee.kind == ast::ExprKind::kName ? find_name(e, callee.text) : std::nullopt;
  const FunctionValue* function = value ? value->as<FunctionValue>() : nullptr;
  if (!function) return found;
  for (const FunctionId id : function->candidates) {
    const std::vector<ast::Formal>& formals = e.library.function(id).formals;
    for (std::size_t i = 0; i < formals.size(); ++i) {
      const bool is_it = place.name ? place.name->text == formals[i].name.text : place.position == i;
      const bool has_word = std::any_of(formals[i].words.begin(), formals[i].words.end(),
                                        [](const ast::Name& word) { return is_choice_word(word.text); });
      if (is_it && has_word) found.push_back(&formals[i]);
    }
  }
  return found;
}

/// Whether the program gives the name a value that an argument with words may take: a number, or a word.
bool is_value_name(const Elaboration& e, const std::string& name) {
  const Frame& frame = e.frame();
  if (frame.axes.count(name) > 0) return true;
  if (const auto local = frame.names.find(name); local != frame.names.end())
    return !local->second.as<FunctionValue>();
  const TopName* top = e.library.find(frame.unit, name);
  return top && top->kind == TopName::Kind::kDefinition;
}

Report report_choice(Elaboration& e, const ast::Formal& formal, const std::string& found, SourceRange range) {
  Report report = e.error(range, kChoice, found, formal.name.text, choices_text(formal));
  e.label(report, formal.name.range, "is declared here");
  return report;
}

}  // namespace

bool is_choice_word(std::string_view name) {
  return std::find(kWords.begin(), kWords.end(), name) != kWords.end();
}

std::optional<Value> chosen_value(Elaboration& e, const ast::Formal& formal, const Operand& given) {
  for (const ast::Name& word : formal.words) {
    if (kind_named(word.text) || is_choice_word(word.text)) continue;
    e.error(word.range, kUnknownWord, word.text);
    return std::nullopt;
  }
  if (given.value.is_poison()) return std::nullopt;
  for (const ast::Name& word : formal.words) {
    if (std::optional<Value> value = take(word.text, given.value)) return value;
  }
  Report report = report_choice(e, formal, found_text(given.value), given.range);
  e.label_origin(report, given);
  const NumberValue* number = given.value.as<NumberValue>();
  if (number && number->is_rounded) report.note(std::string(kNotExactNote));
  return std::nullopt;
}

std::optional<Value> word_argument(Elaboration& e, const ast::Expr& callee, const ArgumentPlace& place,
                                   ast::ExprId argument) {
  const ast::Expr& text = e.expr(argument);
  if (text.kind != ast::ExprKind::kName || is_value_name(e, text.text)) return std::nullopt;
  const std::vector<const ast::Formal*> formals = formals_with_words(e, callee, place);
  if (formals.empty()) return std::nullopt;
  const bool is_word = std::any_of(formals.begin(), formals.end(),
                                   [&](const ast::Formal* formal) { return takes_word(*formal, text.text); });
  if (is_word) return Value{TextValue{text.text}};
  if (is_choice_word(text.text) || find_name(e, text.text)) return std::nullopt;
  std::vector<std::string> words;
  for (const ast::Name& word : formals.front()->words) words.push_back(word.text);
  Report report = report_choice(e, *formals.front(), fmt::format("`{}`", text.text), text.range);
  if (const auto near = nearest_name(text.text, words))
    report.suggest(text.range, *near, fmt::format("did you mean `{}`?", *near));
  return Value{Poison{}};
}

}  // namespace dlg
