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

/// The formals of one argument, in several forms of a function.
using Formals = std::vector<const ast::Formal*>;

/// "`same`, `valid` or a whole number": what one or another of them takes.
std::string choices_text(const Formals& formals) {
  std::vector<std::string> all;
  for (const ast::Formal* formal : formals) {
    for (const ast::Name& word : formal->words) {
      const ChoiceKind* kind = kind_named(word.text);
      std::string text = kind ? std::string(kind->text) : fmt::format("`{}`", word.text);
      if (std::find(all.begin(), all.end(), text) == all.end()) all.push_back(std::move(text));
    }
  }
  return join_words(all, " or ");
}

bool takes_word(const ast::Formal& formal, std::string_view name) {
  return std::any_of(formal.words.begin(), formal.words.end(),
                     [&](const ast::Name& word) { return word.text == name && is_choice_word(name); });
}

bool takes(const ast::Formal& formal, const Value& given) {
  return std::any_of(formal.words.begin(), formal.words.end(),
                     [&](const ast::Name& word) { return take(word.text, given).has_value(); });
}

/// The formal of each candidate that the argument lands at.
Formals formals_at(const Elaboration& e, const FunctionValue& function, const ArgumentPlace& place) {
  Formals found;
  for (const FunctionId id : function.candidates) {
    const std::vector<ast::Formal>& formals = e.library.function(id).formals;
    for (std::size_t i = 0; i < formals.size(); ++i) {
      const bool is_it = place.name ? place.name->text == formals[i].name.text : place.position == i;
      if (is_it) found.push_back(&formals[i]);
    }
  }
  return found;
}

/// Those of them that declare words, if one declares a word of the library.
Formals formals_with_words(Elaboration& e, const ast::Expr& callee, const ArgumentPlace& place) {
  const std::optional<Value> value =
      callee.kind == ast::ExprKind::kName ? find_name(e, callee.text) : std::nullopt;
  const FunctionValue* function = value ? value->as<FunctionValue>() : nullptr;
  if (!function) return {};
  Formals found = formals_at(e, *function, place);
  std::erase_if(found, [](const ast::Formal* formal) { return formal->words.empty(); });
  const bool has_word = std::any_of(found.begin(), found.end(), [](const ast::Formal* formal) {
    return std::any_of(formal->words.begin(), formal->words.end(),
                       [](const ast::Name& word) { return is_choice_word(word.text); });
  });
  return has_word ? found : Formals{};
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

Report report_choice(Elaboration& e, const Formals& formals, const std::string& found, SourceRange range) {
  const ast::Name& name = formals.front()->name;
  Report report = e.error(range, kChoice, found, name.text, choices_text(formals));
  e.label(report, name.range, "is declared here");
  return report;
}

}  // namespace

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
  Report report = report_choice(e, {&formal}, kind_text(given.value), given.range);
  e.label_origin(report, given);
  const NumberValue* number = given.value.as<NumberValue>();
  if (number && number->is_rounded) report.note(std::string(kNotExactNote));
  return std::nullopt;
}

std::optional<Value> word_argument(Elaboration& e, const ast::Expr& callee, const ArgumentPlace& place,
                                   ast::ExprId argument) {
  const ast::Expr& text = e.expr(argument);
  if (text.kind != ast::ExprKind::kName || is_value_name(e, text.text)) return std::nullopt;
  const Formals formals = formals_with_words(e, callee, place);
  if (formals.empty()) return std::nullopt;
  const bool is_word = std::any_of(formals.begin(), formals.end(),
                                   [&](const ast::Formal* formal) { return takes_word(*formal, text.text); });
  if (is_word) return Value{TextValue{text.text}};
  if (is_choice_word(text.text) || find_name(e, text.text)) return std::nullopt;
  std::vector<std::string> words;
  for (const ast::Formal* formal : formals) {
    for (const ast::Name& word : formal->words) words.push_back(word.text);
  }
  Report report = report_choice(e, formals, fmt::format("`{}`", text.text), text.range);
  if (const auto near = nearest_name(text.text, words))
    report.suggest(text.range, *near, fmt::format("did you mean `{}`?", *near));
  return Value{Poison{}};
}

std::optional<std::string> misfit_text(const Elaboration& e, const FunctionValue& function,
                                       const ArgumentPlace& place, const Value& given) {
  const Formals formals = formals_at(e, function, place);
  const bool fits = std::any_of(formals.begin(), formals.end(), [&](const ast::Formal* formal) {
    return formal->words.empty() || takes(*formal, given);
  });
  if (formals.empty() || fits) return std::nullopt;
  return fmt::format("{}, expected {}", kind_text(given), choices_text(formals));
}

}  // namespace dlg
