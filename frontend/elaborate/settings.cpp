#include "frontend/elaborate/settings.h"

#include <fmt/format.h>

#include <map>

#include "frontend/elaborate/constants.h"
#include "frontend/elaborate/expressions.h"
#include "support/text.h"

namespace dlg {
namespace {

constexpr Diag<std::string> kDuplicate{DiagCode::DuplicateSetting, Severity::kError,
                                       "the setting `{}` stands twice"};
constexpr Diag<std::string> kUnknown{DiagCode::UnknownSetting, Severity::kError, "unknown setting `{}`"};
constexpr Diag<std::string, std::string, std::string> kBad{DiagCode::BadSetting, Severity::kError,
                                                           "`{}` is `{}`, expected {}"};

}  // namespace

std::vector<std::size_t> distinct_settings(Elaboration& e, const ast::SettingsBlock& block) {
  std::map<std::string, std::size_t> first;
  std::vector<std::size_t> distinct;
  for (std::size_t i = 0; i < block.settings.size(); ++i) {
    const ast::Name& key = block.settings[i].key;
    const auto [place, is_new] = first.try_emplace(key.text, i);
    if (is_new) {
      distinct.push_back(i);
      continue;
    }
    Report report = e.error(key.range, kDuplicate, key.text);
    e.label(report, block.settings[place->second].key.range, "first given here");
  }
  return distinct;
}

std::optional<std::string> report_unknown_setting(Elaboration& e, const ast::Name& key,
                                                  std::span<const std::string_view> known) {
  const std::vector<std::string> names(known.begin(), known.end());
  Report report = e.error(key.range, kUnknown, key.text);
  const std::optional<std::string> near = nearest_name(key.text, names);
  if (near) {
    report.suggest(key.range, *near, fmt::format("did you mean `{}`?", *near));
  } else {
    report.note("the settings here are " + join_words(names));
  }
  return near;
}

std::string_view word_of(const Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  return expr.kind == ast::ExprKind::kName ? std::string_view(expr.text) : std::string_view();
}

std::string_view callee_of(const Elaboration& e, ast::ExprId id) {
  const ast::Expr& expr = e.expr(id);
  return expr.kind == ast::ExprKind::kCall ? word_of(e, expr.args[0]) : word_of(e, id);
}

std::optional<double> number_setting(Elaboration& e, ast::ExprId id, const std::string& key) {
  return plain_number(e, evaluate_operand(e, id), "a number for `" + key + "`");
}

std::optional<std::int64_t> whole_setting(Elaboration& e, ast::ExprId id, const std::string& key,
                                          std::int64_t least) {
  const auto number = whole_number(e, evaluate_operand(e, id), "`" + key + "`");
  if (number && *number < least) {
    report_bad_setting(e, id, key, fmt::format("at least {}", least));
    return std::nullopt;
  }
  return number;
}

void report_bad_setting(Elaboration& e, ast::ExprId id, const std::string& key, const std::string& expected) {
  const SourceRange range = e.expr(id).range;
  e.error(range, kBad, key, std::string(e.sources.text(range)), expected);
}

}  // namespace dlg
