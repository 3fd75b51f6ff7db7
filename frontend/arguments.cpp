// Owns the first half of signature.h: which argument belongs to which formal.
#include <fmt/format.h>

#include <algorithm>

#include "frontend/signature.h"
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

std::vector<std::string> formal_names(const std::vector<ast::Formal>& formals) {
  std::vector<std::string> names;
  for (const ast::Formal& formal : formals) names.push_back(formal.name.text);
  return names;
}

/// The index of the formal of this name; reports an unknown one.
std::optional<std::size_t> named_formal(Elaboration& e, const std::string& callee,
                                        const std::vector<ast::Formal>& formals, const ast::Name& name) {
  for (std::size_t i = 0; i < formals.size(); ++i) {
    if (formals[i].name.text == name.text) return i;
  }
  const std::vector<std::string> names = formal_names(formals);
  Report report = e.error(name.range, kUnknownArgument, callee, name.text);
  if (const auto near = nearest_name(name.text, names)) {
    report.suggest(name.range, *near, fmt::format("did you mean `{}`?", *near));
  } else if (!names.empty()) {
    report.note(fmt::format("its arguments are {}", join_words(names)));
  }
  return std::nullopt;
}

void report_missing(Elaboration& e, const std::string& name, const ast::Formal& formal, const Call& call) {
  Report report = e.error(call.range, kMissingArgument, name, formal.name.text);
  e.label(report, formal.name.range, "is declared without a default");
}

}  // namespace

std::optional<std::vector<const CallArgument*>> assign_arguments(Elaboration& e, const std::string& name,
                                                                 const std::vector<ast::Formal>& formals,
                                                                 const Call& call) {
  std::vector<const CallArgument*> assigned(formals.size(), nullptr);
  std::size_t position = 0;
  bool is_good = true;
  for (const CallArgument& argument : call.arguments) {
    std::optional<std::size_t> index = position;
    if (argument.name) index = named_formal(e, name, formals, *argument.name);
    if (!argument.name) ++position;
    if (!index) {
      is_good = false;
      continue;
    }
    if (*index >= formals.size()) {
      e.error(argument.operand.range, kTooMany, name,
              counted(static_cast<long long>(formals.size()), "argument"), call.arguments.size());
      return std::nullopt;
    }
    if (assigned[*index]) {
      const SourceRange range = argument.name ? argument.name->range : argument.operand.range;
      Report report = e.error(range, kDuplicateArgument, name, formals[*index].name.text);
      e.label(report, assigned[*index]->operand.range, "it is already given here");
      is_good = false;
    }
    assigned[*index] = &argument;
  }
  for (std::size_t i = 0; i < formals.size() && is_good; ++i) {
    if (assigned[i] || formals[i].default_value.is_valid()) continue;
    report_missing(e, name, formals[i], call);
    is_good = false;
  }
  if (!is_good) return std::nullopt;
  return assigned;
}

}  // namespace dlg
