// Owns the first half of signature.h: which argument belongs to which formal.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/elaborate/signature.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string, std::string> kUnknownArgument{DiagCode::UnknownArgument, Severity::kError,
                                                          "`{}` has no argument `{}`"};
constexpr Diag<std::string, std::string> kMissingArgument{DiagCode::MissingArgument, Severity::kError,
                                                          "`{}` needs the argument `{}`"};
constexpr Diag<std::string, std::string> kDuplicateArgument{DiagCode::DuplicateArgument, Severity::kError,
                                                            "`{}` gets the argument `{}` twice"};
constexpr Diag<std::string, std::string, std::size_t> kTooMany{DiagCode::TooManyArguments, Severity::kError,
                                                               "`{}` takes {}, found {}"};

constexpr Diag<std::string, std::string> kByName{DiagCode::TooManyArguments, Severity::kError,
                                                 "`{}` takes the argument `{}` by its name only"};

std::vector<std::string> formal_names(const Callee& callee) {
  std::vector<std::string> names;
  for (const CalleeFormal& formal : callee.formals) names.push_back(formal.name);
  return names;
}

/// The index of the formal of this name; reports an unknown one.
std::optional<std::size_t> named_formal(Elaboration& e, const Callee& callee, const ast::Name& name) {
  for (std::size_t i = 0; i < callee.formals.size(); ++i) {
    if (callee.formals[i].name == name.text) return i;
  }
  Report report = e.error(name.range, kUnknownArgument, callee.name, name.text);
  if (const auto near = nearest_name(name.text, formal_names(callee))) {
    report.suggest(name.range, *near, fmt::format("did you mean `{}`?", *near));
  } else if (!callee.note.empty()) {
    report.note(callee.note);
  }
  return std::nullopt;
}

/// The index of the formal at this position; reports one that there is not.
std::optional<std::size_t> positional_formal(Elaboration& e, const Callee& callee, std::size_t position,
                                             const Call& call, const CallArgument& argument) {
  const SourceRange range = argument.operand.range;
  if (position >= callee.formals.size()) {
    e.error(range, kTooMany, callee.name, counted(static_cast<long long>(callee.formals.size()), "argument"),
            call.arguments.size());
    return std::nullopt;
  }
  const CalleeFormal& formal = callee.formals[position];
  if (formal.way != CalleeFormal::Way::kByName) return position;
  Report report = e.error(range, kByName, callee.name, formal.name);
  const std::string text = fmt::format("{} = {}", formal.name, e.sources.text(range));
  report.suggest(range, text, fmt::format("write `{}`", text));
  return std::nullopt;
}

void report_duplicate(Elaboration& e, const Callee& callee, const CalleeFormal& formal,
                      const CallArgument& first, const CallArgument& again) {
  const SourceRange range = again.name ? again.name->range : again.operand.range;
  Report report = e.error(range, kDuplicateArgument, callee.name, formal.name);
  e.label(report, first.operand.range, "it is already given here");
}

void report_missing(Elaboration& e, const Callee& callee, const CalleeFormal& formal, const Call& call) {
  Report report = e.error(call.range, kMissingArgument, callee.name, formal.name);
  if (formal.declared.is_valid()) {
    e.label(report, formal.declared, "is declared without a default");
  } else {
    report.note(callee.note);
  }
}

}  // namespace

Callee callee_of(const std::string& name, const std::vector<ast::Formal>& formals) {
  Callee callee{name, {}, {}};
  for (const ast::Formal& formal : formals) {
    const bool has_default = formal.default_value.is_valid();
    callee.formals.push_back({formal.name.text,
                              has_default ? CalleeFormal::Way::kDefaulted : CalleeFormal::Way::kRequired,
                              formal.name.range});
  }
  if (!formals.empty()) {
    const std::string_view verb = formals.size() == 1 ? "argument is" : "arguments are";
    callee.note = fmt::format("its {} {}", verb, join_words(formal_names(callee)));
  }
  return callee;
}

std::optional<std::vector<const CallArgument*>> assign_arguments(Elaboration& e, const Callee& callee,
                                                                 const Call& call) {
  std::vector<const CallArgument*> assigned(callee.formals.size(), nullptr);
  std::size_t position = 0;
  bool is_good = true;
  for (const CallArgument& argument : call.arguments) {
    const std::optional<std::size_t> index = argument.name
                                                 ? named_formal(e, callee, *argument.name)
                                                 : positional_formal(e, callee, position++, call, argument);
    if (!index && !argument.name) return std::nullopt;
    if (index && assigned[*index]) {
      report_duplicate(e, callee, callee.formals[*index], *assigned[*index], argument);
    }
    is_good = is_good && index && !assigned[*index];
    if (index) assigned[*index] = &argument;
  }
  for (std::size_t i = 0; i < callee.formals.size() && is_good; ++i) {
    if (assigned[i] || callee.formals[i].way != CalleeFormal::Way::kRequired) continue;
    report_missing(e, callee, callee.formals[i], call);
    is_good = false;
  }
  if (!is_good) return std::nullopt;
  return assigned;
}

}  // namespace dlg
